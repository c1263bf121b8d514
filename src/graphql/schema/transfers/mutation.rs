//! Mutations that start imports and exports.

use async_graphql::{Context, Enum, ID, InputObject};
use souk_macros::object;

use crate::{
    error::{Error, Result},
    graphql::{
        engine::{guards::PermissionGuard, payload::payload},
        schema::{
            context::ContextExt,
            media::upload::Upload,
            transfers::{Transfer, transfer},
        },
    },
    ids::{RowId, WebsiteId},
    transfers::{
        model::{Format, MatchBy, Missing, ProductRules, Resource},
        runs::{
            actions::{self, ExportRequest, ImportFile, ImportRequest},
            model::{ShopOptions, TRANSFER_PERMISSIONS},
        },
    },
};

/// Character encodings of text files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FileEncoding {
    /// UTF-8, or UTF-16 with a byte order mark.
    Unicode,
    /// Windows-1252, as written by Western European Windows programs.
    Windows1252,
}

/// Decimal separators of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DecimalMark {
    /// Point, as in 1,234.56.
    Point,
    /// Comma, as in 1.234,56.
    Comma,
}

/// Input for `importStart`.
#[derive(Debug, InputObject)]
pub struct ImportStartInput {
    /// Resource type of the rows: PRODUCTS, CATEGORIES, CUSTOMERS, ORDERS or STOCK.
    resource: Resource,
    /// Format of the file. Formats of other shop systems are for products only.
    #[graphql(default_with = "Format::SoukCsv")]
    format: Format,
    /// ID of the website that the rows belong to.
    website_id: ID,
    /// File uploaded with this request. Either `file` or `uploadId` must be given.
    file: Option<Upload>,
    /// ID of a file that was uploaded before, from `uploadCreate`.
    upload_id: Option<ID>,
    /// Validate the file and report the outcome of each row without writing anything.
    #[graphql(default)]
    is_dry_run: bool,
    /// Character encoding of the file, for formats of other shop systems.
    #[graphql(default_with = "FileEncoding::Unicode")]
    encoding: FileEncoding,
    /// Decimal separator of the file, for formats of other shop systems, if it cannot be detected from the prices.
    decimal_mark: Option<DecimalMark>,
    /// Base URL for relative image URLs, such as `https://shop.example/media/catalog/product` for Magento; at most
    /// 1,000 characters.
    image_base_url: Option<String>,
    /// Rule by which the product of a row is found. Only for products.
    #[graphql(name = "match", default_with = "MatchBy::ExternalId")]
    match_by: MatchBy,
    /// Treatment of active products of earlier imports of the website that the file does not contain; they are counted
    /// as `missing`. Only for products.
    #[graphql(default_with = "Missing::Keep")]
    missing: Missing,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

/// Input for `exportStart`.
#[derive(Debug, InputObject)]
pub struct ExportStartInput {
    /// Resource type to export.
    resource: Resource,
    /// Format of the file: SOUK_CSV or SOUK_JSONL.
    #[graphql(default_with = "Format::SoukCsv")]
    format: Format,
    /// ID of the website to export. Required for resource types that belong to a website, and for users whose
    /// permission is limited to some websites.
    website_id: Option<ID>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

payload! {
    /// Result of `importStart`.
    ImportStartPayload {
        /// The import, which is queued.
        transfer: Transfer
    }
}
payload! {
    /// Result of `exportStart`.
    ExportStartPayload {
        /// The export, which is queued.
        transfer: Transfer
    }
}

/// Mutation root for transfers.
#[derive(Default)]
pub struct TransferMutation;

#[object]
impl TransferMutation {
    /// Starts the import of a file in the background. Valid rows are imported, the others are rejected. Requires the
    /// permission of the resource type at the website: `MANAGE_PRODUCTS` for products, `MANAGE_CATALOGUE` for
    /// categories, `MANAGE_USERS` for customers, `MANAGE_ORDERS` for orders, `MANAGE_STOCK` for stock.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn import_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "File to import, its resource type and website.")] input: ImportStartInput,
    ) -> Result<ImportStartPayload> {
        let started = async {
            let file = match (input.file, input.upload_id) {
                (Some(file), None) => ImportFile::Received(file.file(ctx, "file")?),
                (None, Some(id)) => ImportFile::Upload(id.to_string()),
                _ => return Err(Error::bad_input("uploadId", "give either `file` or `uploadId`")),
            };
            let request = ImportRequest {
                resource: input.resource,
                format: input.format,
                website: WebsiteId::parse("websiteId", &input.website_id)?,
                file,
                is_dry_run: input.is_dry_run,
                shop_options: ShopOptions {
                    is_windows_1252: input.encoding == FileEncoding::Windows1252,
                    is_decimal_comma: input.decimal_mark.map(|mark| mark == DecimalMark::Comma),
                    image_base_url: input.image_base_url,
                    rules: ProductRules { match_by: input.match_by, missing: input.missing },
                    ..ShopOptions::default()
                },
            };
            let storage = &ctx.services().storage;
            actions::import_start(ctx.db(), storage, ctx.viewer(), request, input.idempotency_key).await
        };
        ImportStartPayload::of(started.await.map(transfer))
    }

    /// Starts the export of all rows of a resource type to a file in the background. Requires the permission of the
    /// resource type at the website: `MANAGE_PRODUCTS` for products, `MANAGE_CATALOGUE` for categories, brands and
    /// suppliers, `MANAGE_USERS` for customers, `MANAGE_ORDERS` for orders, `MANAGE_STOCK` for stock and its ledger,
    /// `MANAGE_REVIEWS` for reviews, `MANAGE_USERS` for wishlists, `MANAGE_WEBSITES` for websites.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn export_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Resource type, format and website of the export.")] input: ExportStartInput,
    ) -> Result<ExportStartPayload> {
        let started = async {
            let website = input.website_id.map(|id| WebsiteId::parse("websiteId", &id)).transpose()?;
            let request = ExportRequest { resource: input.resource, format: input.format, website };
            actions::export_start(ctx.db(), ctx.viewer(), request, input.idempotency_key).await
        };
        ExportStartPayload::of(started.await.map(transfer))
    }
}
