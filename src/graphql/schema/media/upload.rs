//! File uploads: as parts of a multipart request, or in advance to a signed URL.
//! Rule: a variable of the type `Upload` refers to a part of its own request; a string that a client sends in its place
//! refers to nothing.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{guards::PermissionGuard, payload::payload},
        schema::context::ContextExt,
    },
    storage::{SignedUrl, received::ReceivedFile, uploads},
};

/// Maximum size of a file that is uploaded in advance: 1 GiB.
const MAX_BYTES: i32 = 1 << 30;
/// Lifetime of an upload URL.
const UPLOAD_URL_TTL: Duration = Duration::from_secs(3600);
/// Prefix of the internal variable value that represents a file.
const FILE_VARIABLE_PREFIX: &str = "\u{1}file:";

/// Permissions to upload files: those of all mutations that use files.
pub const UPLOAD_PERMISSIONS: &[Permission] = &[
    Permission::ManageProducts,
    Permission::SellProducts,
    Permission::ManageCatalogue,
    Permission::ManageStock,
    Permission::ManageUsers,
    Permission::ManageOrders,
];

/// Files of a request, in the order of its parts.
#[derive(Default)]
pub struct RequestFiles(pub Vec<ReceivedFile>);

/// Returns the variable value that represents the file with this index.
pub fn file_variable(index: usize) -> Value {
    Value::String(format!("{FILE_VARIABLE_PREFIX}{index}"))
}

/// A file of the same request, sent with the GraphQL multipart request protocol.
#[derive(Debug, Clone, Copy)]
pub struct Upload(usize);

/// A file of the same request. Send it as `multipart/form-data` with the GraphQL multipart request protocol and the
/// header `GraphQL-Require-Preflight`; the variable itself is null.
#[Scalar(specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec")]
impl ScalarType for Upload {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let index = text.strip_prefix(FILE_VARIABLE_PREFIX).and_then(|index| index.parse().ok());
        index.map(Self).ok_or_else(|| InputValueError::custom("send the file as a part of a multipart request"))
    }

    fn to_value(&self) -> Value {
        file_variable(self.0)
    }
}

impl Upload {
    /// Returns the file.
    /// # Errors
    /// INVALID if this request has no such part.
    pub fn file(self, ctx: &Context<'_>, field: &'static str) -> Result<ReceivedFile> {
        let found = ctx.data_opt::<RequestFiles>().and_then(|files| files.0.get(self.0).cloned());
        found.ok_or_else(|| Error::bad_input(field, "send the file as a part of a multipart request"))
    }
}

/// An upload URL.
pub struct SignedUpload {
    id: String,
    signed: SignedUrl,
}

/// A URL to which a file can be uploaded with `PUT` before a mutation uses it.
#[object]
impl SignedUpload {
    /// ID of the file, for use in mutations. Valid for one day, and only for the viewer who created it.
    async fn upload_id(&self) -> ID {
        ID(self.id.clone())
    }

    /// Absolute URL to upload the file to, once.
    async fn url(&self, ctx: &Context<'_>) -> String {
        ctx.absolute_url(self.signed.url.clone())
    }

    /// When the URL expires (UTC), one hour after its creation.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.signed.expires_at
    }
}

/// Input for `uploadCreate`.
#[derive(Debug, InputObject)]
pub struct UploadCreateInput {
    /// Size of the file in bytes, 1 to 1,073,741,824 (1 GiB).
    bytes: i32,
}

payload! {
    /// Result of `uploadCreate`.
    UploadCreatePayload {
        /// The URL to upload the file to.
        upload: SignedUpload
    }
}

async fn create(ctx: &Context<'_>, input: UploadCreateInput) -> Result<SignedUpload> {
    let me = ctx.viewer().require_user()?;
    if !(1..=MAX_BYTES).contains(&input.bytes) {
        return Err(Error::user(
            UserErrorCode::OutOfRange,
            "bytes",
            format!("bytes must be between 1 and {MAX_BYTES}"),
        ));
    }
    let id = uploads::new_id();
    let key = uploads::key(me.0, &id).ok_or_else(|| Error::Internal("invalid upload id".into()))?;
    let bytes = u64::from(input.bytes.unsigned_abs());
    let signed = ctx.services().image_processor.storage().signed_put(&key, bytes, UPLOAD_URL_TTL).await?;
    Ok(SignedUpload { id, signed })
}

/// Mutations of file uploads.
#[derive(Default)]
pub struct UploadMutation;

#[object]
impl UploadMutation {
    /// Creates a URL that accepts one file with `PUT`, for a mutation that takes an `uploadId`. Requires
    /// `MANAGE_PRODUCTS`, `SELL_PRODUCTS`, `MANAGE_CATALOGUE`, `MANAGE_STOCK`, `MANAGE_USERS` or `MANAGE_ORDERS`.
    #[graphql(guard = "PermissionGuard(UPLOAD_PERMISSIONS)")]
    async fn upload_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Size of the file.")] input: UploadCreateInput,
    ) -> Result<UploadCreatePayload> {
        UploadCreatePayload::of(create(ctx, input).await)
    }
}
