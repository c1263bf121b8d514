//! Beginning imports and exports.

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
        model::{Format, Resource},
        runs::{
            actions::{self, ExportRequest, ImportFile, ImportRequest},
            model::{ShopOptions, TRANSFER_PERMISSIONS},
        },
    },
};

/// How a text file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FileEncoding {
    /// UTF-8, or UTF-16 with a byte order mark.
    Unicode,
    /// What Western European Windows programs write.
    Windows1252,
}

/// How amounts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DecimalMark {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

/// An import to be.
#[derive(Debug, InputObject)]
pub struct ImportStartInput {
    /// What the file holds: PRODUCTS, CATEGORIES, CUSTOMERS, ORDERS or STOCK.
    resource: Resource,
    /// How it is written; the formats of other shops are for products.
    #[graphql(default_with = "Format::SoukCsv")]
    format: Format,
    /// The website whose rows they are.
    website_id: ID,
    /// A file of this request. Either this or `uploadId` is given.
    file: Option<Upload>,
    /// A file that you sent ahead, by the id of `uploadCreate`.
    upload_id: Option<ID>,
    /// Tell what would become of the file, and write nothing.
    #[graphql(default)]
    is_dry_run: bool,
    /// The encoding of another shop's file.
    #[graphql(default_with = "FileEncoding::Unicode")]
    encoding: FileEncoding,
    /// How another shop's file writes amounts, where its prices do not tell.
    decimal_mark: Option<DecimalMark>,
    /// What stands before addresses of images that name no server, such as `https://shop.example/media/catalog/product` for
    /// Magento; at most 1,000 characters.
    image_base_url: Option<String>,
    /// Makes sending it again safe: the same key with the same input answers the same transfer. 1 to 200 characters.
    idempotency_key: String,
}

/// An export to be.
#[derive(Debug, InputObject)]
pub struct ExportStartInput {
    /// What goes out.
    resource: Resource,
    /// How it is written: SOUK_CSV or SOUK_JSONL.
    #[graphql(default_with = "Format::SoukCsv")]
    format: Format,
    /// The website whose rows they are: a must for what belongs to one, and for whoever may do this at some websites only.
    website_id: Option<ID>,
    /// Makes sending it again safe: the same key with the same input answers the same transfer. 1 to 200 characters.
    idempotency_key: String,
}

payload! {
    /// The answer of `importStart`.
    ImportStartPayload {
        /// The import, which waits for its turn.
        transfer: Transfer
    }
}
payload! {
    /// The answer of `exportStart`.
    ExportStartPayload {
        /// The export, which waits for its turn.
        transfer: Transfer
    }
}

/// Mutations of transfers.
#[derive(Default)]
pub struct TransferMutation;

#[object]
impl TransferMutation {
    /// Begins to bring in a file, in the background: good rows go in, bad ones are handed back. Requires the permission of the
    /// resource at the website: MANAGE_PRODUCTS for products, MANAGE_CATALOGUE for categories, MANAGE_USERS for customers,
    /// MANAGE_ORDERS for orders, MANAGE_STOCK for stock.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn import_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import.")] input: ImportStartInput,
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
                },
            };
            let storage = &ctx.services().storage;
            actions::import_start(ctx.db(), storage, ctx.viewer(), request, input.idempotency_key).await
        };
        ImportStartPayload::of(started.await.map(transfer))
    }

    /// Begins to write everything of a resource to a file, in the background. Requires the permission of the resource at the website:
    /// MANAGE_PRODUCTS for products, MANAGE_CATALOGUE for categories, brands and suppliers, MANAGE_USERS for customers,
    /// MANAGE_ORDERS for orders, MANAGE_STOCK for stock and its ledger, MANAGE_REVIEWS for reviews, MANAGE_WEBSITES for
    /// websites.
    #[graphql(guard = "PermissionGuard(TRANSFER_PERMISSIONS)")]
    async fn export_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export.")] input: ExportStartInput,
    ) -> Result<ExportStartPayload> {
        let started = async {
            let website = input.website_id.map(|id| WebsiteId::parse("websiteId", &id)).transpose()?;
            let request = ExportRequest { resource: input.resource, format: input.format, website };
            actions::export_start(ctx.db(), ctx.viewer(), request, input.idempotency_key).await
        };
        ExportStartPayload::of(started.await.map(transfer))
    }
}
