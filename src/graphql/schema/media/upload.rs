//! Files that come in: as parts of a multipart request, or ahead by a signed address.
//! Rule: a variable of the type Upload names a part of its own request; a text in its place names nothing.

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

/// Most bytes of a file that is sent ahead: 1 GiB.
const MAX_BYTES: i32 = 1 << 30;
/// How long the address of an upload is good.
const UPLOAD_URL_TTL: Duration = Duration::from_secs(3600);
/// What stands for a file in the variables, before its number.
const FILE_VARIABLE_PREFIX: &str = "\u{1}file:";

/// Who may send files ahead: whoever may do something with them.
const UPLOAD_PERMISSIONS: &[Permission] = &[
    Permission::ManageProducts,
    Permission::SellProducts,
    Permission::ManageCatalogue,
    Permission::ManageStock,
    Permission::ManageUsers,
    Permission::ManageOrders,
];

/// The files of a request, in the order of its parts.
#[derive(Default)]
pub struct RequestFiles(pub Vec<ReceivedFile>);

/// The variable that stands for the file with this number.
pub fn file_variable(index: usize) -> Value {
    Value::String(format!("{FILE_VARIABLE_PREFIX}{index}"))
}

/// A file of the same request, sent by the GraphQL multipart request protocol.
#[derive(Debug, Clone, Copy)]
pub struct Upload(usize);

/// A file of the same request: send it as `multipart/form-data` by the GraphQL multipart request protocol, with the header
/// `GraphQL-Require-Preflight`, and null in its place in the variables.
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
    /// The file.
    /// # Errors
    /// INVALID where no part of this request is meant.
    pub fn file(self, ctx: &Context<'_>, field: &'static str) -> Result<ReceivedFile> {
        let found = ctx.data_opt::<RequestFiles>().and_then(|files| files.0.get(self.0).cloned());
        found.ok_or_else(|| Error::bad_input(field, "send the file as a part of a multipart request"))
    }
}

/// Where to send a file.
pub struct SignedUpload {
    id: String,
    signed: SignedUrl,
}

/// Where to send a file ahead, by PUT.
#[object]
impl SignedUpload {
    /// What a mutation names the file by: yours alone, for a day.
    async fn upload_id(&self) -> ID {
        ID(self.id.clone())
    }

    /// The address that takes the file, once. Where it begins with a slash, it is one of this server.
    async fn url(&self) -> &str {
        &self.signed.url
    }

    /// When the address stops working.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.signed.expires_at
    }
}

/// A file that is to be sent ahead.
#[derive(Debug, InputObject)]
pub struct UploadCreateInput {
    /// Its size in bytes: 1 to 1,073,741,824.
    bytes: i32,
}

payload! {
    /// The answer of `uploadCreate`.
    UploadCreatePayload {
        /// Where to send the file.
        upload: SignedUpload
    }
}

async fn create(ctx: &Context<'_>, input: UploadCreateInput) -> Result<SignedUpload> {
    let me = ctx.viewer().require_user()?;
    if !(1..=MAX_BYTES).contains(&input.bytes) {
        return Err(Error::user(UserErrorCode::OutOfRange, "bytes", format!("a file has 1 to {MAX_BYTES} bytes")));
    }
    let id = uploads::new_id();
    let key = uploads::key(me.0, &id).ok_or_else(|| Error::Internal("the id of an upload".into()))?;
    let bytes = u64::from(input.bytes.unsigned_abs());
    let signed = ctx.services().image_processor.storage().signed_put(&key, bytes, UPLOAD_URL_TTL).await?;
    Ok(SignedUpload { id, signed })
}

/// Mutations of files that come in.
#[derive(Default)]
pub struct UploadMutation;

#[object]
impl UploadMutation {
    /// Makes an address that takes one file by PUT, for a mutation that names it as `uploadId`. Requires MANAGE_PRODUCTS,
    /// SELL_PRODUCTS, MANAGE_CATALOGUE, MANAGE_STOCK, MANAGE_USERS or MANAGE_ORDERS.
    #[graphql(guard = "PermissionGuard(UPLOAD_PERMISSIONS)")]
    async fn upload_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file to be.")] input: UploadCreateInput,
    ) -> Result<UploadCreatePayload> {
        UploadCreatePayload::of(create(ctx, input).await)
    }
}
