//! The source of a new image in an input: a file of the request, a file that was uploaded in advance, or a URL.
//! Rule: exactly one of them is set; a file that was uploaded in advance is deleted once it has been used.

use async_graphql::{Context, ID};

use super::upload::Upload;
use crate::{
    error::{Error, Result},
    graphql::schema::context::ContextExt,
    media::actions::ImageContent,
    storage::uploads,
};

/// Source of an image in an input.
pub(super) struct ImageSource {
    content: ImageContent,
    /// Storage key of a file that was uploaded in advance.
    upload_key: Option<String>,
}

impl ImageSource {
    /// Reads the one source that is set.
    pub(super) async fn read(
        ctx: &Context<'_>,
        file: Option<Upload>,
        upload_id: Option<ID>,
        url: Option<String>,
    ) -> Result<Self> {
        let (content, upload_key) = match (file, upload_id, url) {
            (Some(file), None, None) => {
                let unreadable = |error| Error::Internal(format!("reading an uploaded file failed: {error}"));
                (ImageContent::File(file.file(ctx, "file")?.bytes().await.map_err(unreadable)?), None)
            }
            (None, Some(id), None) => {
                let processor = &ctx.services().image_processor;
                let missing = || Error::not_found("uploadId", "upload");
                let key = uploads::key(ctx.viewer().require_user()?.0, &id).ok_or_else(missing)?;
                let file = processor.storage().get_bytes(&key, processor.max_bytes()).await?.ok_or_else(missing)?;
                (ImageContent::File(file), Some(key))
            }
            (None, None, Some(url)) => (ImageContent::Url(url), None),
            _ => return Err(Error::bad_input("file", "set exactly one of file, uploadId and url")),
        };
        Ok(Self { content, upload_key })
    }

    /// Saves an image with this content.
    pub(super) async fn save<T, F: Future<Output = Result<T>>>(
        self,
        ctx: &Context<'_>,
        save: impl FnOnce(ImageContent) -> F,
    ) -> Result<T> {
        let saved = save(self.content).await?;
        if let Some(key) = &self.upload_key {
            ctx.services().image_processor.storage().delete(key).await?;
        }
        Ok(saved)
    }
}
