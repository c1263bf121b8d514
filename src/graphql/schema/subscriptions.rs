//! What subscription fields share: how they wait for events, and the objects that they send.
//! Rule: a field is resolved when the subscription starts, up to [`event`], and again for each event. So what the viewer may
//! subscribe to is checked before `event`, and what an event shows is loaded after it.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, ID};

use crate::{
    error::{Error, ErrorCode, Result},
    events::{
        actions::feed::EventStream,
        model::{Event, EventCursor, Topic},
    },
    graphql::schema::{
        context::{ContextExt, Services},
        websites::named_website,
    },
    ids::WebsiteId,
};

/// What a field subscribes to.
#[derive(Debug)]
pub struct Interest {
    /// The topics.
    pub topics: Vec<Topic>,
    /// The cursor after which events are wanted.
    pub after: Option<EventCursor>,
}

impl Interest {
    /// Subscribes.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached; a user error if there are too many events after the cursor.
    pub async fn subscribe(self, services: &Services) -> Result<Occasions> {
        services.events.subscribe(self.topics, self.after).await.map(Occasions)
    }
}

/// The events of a subscription.
pub struct Occasions(EventStream);

impl Occasions {
    /// Waits for the next event; none if there were too many that were not taken, or if the server ends.
    pub async fn next(&mut self) -> Option<Occasion> {
        self.0.next().await.map(Occasion::Event)
    }

    /// Returns once whether events were lost, because too many were not taken.
    pub fn take_has_lagged(&self) -> bool {
        self.0.take_has_lagged()
    }
}

/// Why a subscription field is resolved.
#[derive(Clone)]
pub enum Occasion {
    /// The subscription starts. The field says what it subscribes to.
    Start(Arc<OnceLock<Interest>>),
    /// There is an event.
    Event(Arc<Event>),
}

/// Subscribes to these topics, and returns the event that the field is resolved for; none when the subscription starts.
/// # Errors
/// A user error if `after` is not the cursor of an event of the last 10 minutes.
pub fn event(
    ctx: &Context<'_>,
    topics: impl IntoIterator<Item = Topic>,
    after: Option<String>,
) -> Result<Option<Arc<Event>>> {
    match ctx.data_unchecked::<Occasion>() {
        Occasion::Event(event) => Ok(Some(Arc::clone(event))),
        Occasion::Start(interest) => {
            let after = after.as_deref().map(EventCursor::parse).transpose()?;
            // The only root field is resolved once.
            let _ = interest.set(Interest { topics: topics.into_iter().collect(), after });
            Ok(None)
        }
    }
}

/// Returns the website that limits a subscription, if it is given.
/// # Errors
/// NOT_FOUND for a code or an ID that no website has.
pub async fn website_of(ctx: &Context<'_>, website: Option<ID>) -> Result<Option<WebsiteId>> {
    let Some(id) = named_website(ctx, "website", website.map(String::from)).await? else { return Ok(None) };
    ctx.loaders().row(id).await?.map(|_| Some(id)).ok_or_else(|| missing("website"))
}

/// Returns the error of a subscription to something that does not exist, or that the viewer may not see.
pub fn missing(resource: &str) -> Error {
    Error::Coded(ErrorCode::NotFound, format!("there is no such {resource}").into())
}

/// Declares the object that a subscription field sends: the given fields, the time of the event and its cursor.
macro_rules! event_object {
    ($(#[doc = $doc:literal])* $object:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])*
        pub struct $object {
            event: std::sync::Arc<$crate::events::model::Event>,
            $($field: $type,)*
        }

        $(#[doc = $doc])*
        #[souk_macros::object]
        impl $object {
            $($(#[doc = $field_doc])*
            async fn $field(&self) -> &$type {
                &self.$field
            })*

            /// When the change was made (UTC).
            fn at(&self) -> chrono::DateTime<chrono::Utc> {
                self.event.row.created_at
            }

            /// Cursor of the event. A client that was disconnected subscribes with it as `after`, and gets the events that it
            /// missed.
            fn cursor(&self) -> String {
                self.event.cursor()
            }
        }
    };
}
pub(crate) use event_object;
