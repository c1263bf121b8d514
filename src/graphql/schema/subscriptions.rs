//! What subscription fields share: how they wait for events, and the objects that they send.
//! Rule: a field is resolved when the subscription starts, up to [`event`], and again for each event. So what the viewer may
//! subscribe to is checked before `event`, and what an event shows is loaded after it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{Context, ID};

use crate::{
    auth::Permission,
    error::{Error, ErrorCode, Result},
    events::{
        actions::{
            Wanted,
            stream::{EventStream, Next},
        },
        model::{Event, EventCursor, Topic},
    },
    graphql::schema::{
        context::{ContextExt, Services},
        websites::named_website,
    },
    ids::{ProductId, RowId, WebsiteId},
};

/// What a subscription field asks for.
#[derive(Debug)]
pub struct EventRequest {
    wanted: Wanted,
    after: Option<EventCursor>,
}

impl EventRequest {
    /// Subscribes.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached.
    pub async fn subscribe(self, services: &Services) -> Result<Events> {
        EventStream::open(&services.events, self.wanted, self.after).await.map(Events)
    }
}

/// The events of a subscription.
pub struct Events(EventStream);

/// What follows in a subscription.
pub enum NextPhase {
    /// The field has to be resolved for an event.
    Phase(Phase),
    /// Events have to be read, by [`Events::read`].
    Read,
    /// The client is too slow: the subscription ends.
    TooSlow,
}

impl Events {
    /// Waits for what follows.
    pub async fn next(&mut self) -> NextPhase {
        match self.0.next().await {
            Next::Event(event) => NextPhase::Phase(Phase::Event(event)),
            Next::Read => NextPhase::Read,
            Next::TooSlow => NextPhase::TooSlow,
        }
    }

    /// Reads events from the database.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached.
    pub async fn read(&mut self) -> Result<()> {
        self.0.read().await
    }
}

/// What a subscription field is resolved for.
#[derive(Clone)]
pub enum Phase {
    /// The start of the subscription. The field says what it asks for.
    Start(Arc<OnceLock<EventRequest>>),
    /// An event.
    Event(Arc<Event>),
}

/// Whether a subscription has ended, because nothing more can happen to what it is about.
#[derive(Debug, Clone, Default)]
pub struct Completion(Arc<AtomicBool>);

impl Completion {
    /// Ends the subscription, after the event that its field is resolved for.
    pub fn complete(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the subscription has ended.
    pub fn is_complete(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Subscribes to these topics, and returns the event that the field is resolved for; none when the subscription starts. Viewers
/// with one of the permissions also get the events that customers cannot see.
/// # Errors
/// A user error if `after` is not the cursor of an event of the last 10 minutes.
pub fn event(
    ctx: &Context<'_>,
    topics: impl IntoIterator<Item = Topic>,
    internal: &[Permission],
    after: Option<String>,
) -> Result<Option<Arc<Event>>> {
    match ctx.data_unchecked::<Phase>() {
        Phase::Event(event) => Ok(Some(Arc::clone(event))),
        Phase::Start(request) => {
            let parse = |after: &String| EventCursor::parse(after, &ctx.services().cursor_seal);
            let after = after.as_ref().map(parse).transpose()?;
            let internal = internal.iter().any(|permission| ctx.viewer().can(*permission));
            let wanted = Wanted { topics: topics.into_iter().collect(), internal };
            // The only root field is resolved once.
            let _ = request.set(EventRequest { wanted, after });
            Ok(None)
        }
    }
}

/// Permissions whose holders also get changes of products and of their stock that customers cannot see.
pub const PRODUCT_STAFF: &[Permission] =
    &[Permission::ManageProducts, Permission::ManageStock, Permission::SellProducts];

/// Returns the topic of one product, which is visible to the viewer when the subscription starts, or of the products of a website,
/// or of all.
/// # Errors
/// A user error if both are given; NOT_FOUND for a product or website that does not exist.
pub async fn product_topic(
    ctx: &Context<'_>,
    (field, id): (&'static str, Option<ID>),
    website: Option<ID>,
    one: fn(ProductId) -> Topic,
    all: fn(Option<WebsiteId>) -> Topic,
) -> Result<Topic> {
    let Some(id) = id else { return website_of(ctx, website).await.map(all) };
    if website.is_some() {
        return Err(Error::bad_input("website", format!("set either {field} or website")));
    }
    let id = ProductId::parse(field, &id)?;
    let is_start = matches!(ctx.data_unchecked::<Phase>(), Phase::Start(_));
    if is_start && ctx.loaders().row(id).await?.is_none() {
        return Err(missing("product"));
    }
    Ok(one(id))
}

/// Returns the website that limits a subscription, if it is given.
/// # Errors
/// A user error for a code that no website has; NOT_FOUND for such an ID.
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
            fn cursor(&self, ctx: &async_graphql::Context<'_>) -> String {
                let seal = &$crate::graphql::schema::context::ContextExt::services(ctx).cursor_seal;
                $crate::events::model::EventCursor::of(&self.event).sealed(seal)
            }
        }
    };
}
pub(crate) use event_object;
