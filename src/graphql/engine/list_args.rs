//! Arguments of lists: pagination, filter and sort order.
//! Rule: a field that takes a [`ListArgs`] has the arguments `first`, `after`, `last` and `before`, and `where` and
//! `orderBy` if the list supports them. Its complexity is the page size times the complexity of the selection on each
//! item.

use async_graphql::{
    Context, InputType, ServerResult,
    indexmap::IndexMap,
    registry::{MetaInputValue, Registry},
};

use super::objects::meta_argument;
use crate::{
    db::filter::Filter,
    error::Result,
    paging::{Direction, List, Page, PageArgs},
};

/// Arguments of a list with the filter input `W` and the order input `O`.
pub struct ListArgs<W = NoArgument, O = NoArgument> {
    /// Pagination arguments.
    pub page: PageArgs,
    /// Filter.
    pub filter: Option<W>,
    /// Sort order.
    pub order: Option<O>,
}

/// Placeholder for the filter or the order of a list that does not support it.
pub enum NoArgument {}

/// An optional argument of a list; [`NoArgument`] for one that the list does not support.
pub trait ListArgument: Sized {
    /// Adds the argument to a field's arguments.
    fn register(name: &str, description: &'static str, registry: &mut Registry, arguments: &mut FieldArguments);

    /// Reads the argument's value.
    /// # Errors
    /// If the value does not match the type.
    fn read(name: &str, context: &Context<'_>) -> ServerResult<Option<Self>>;
}

/// Arguments of a field by name.
pub type FieldArguments = IndexMap<String, MetaInputValue>;

impl<T: InputType> ListArgument for T {
    fn register(name: &str, description: &'static str, registry: &mut Registry, arguments: &mut FieldArguments) {
        let ty = Option::<T>::create_type_info(registry);
        arguments.insert(name.to_owned(), meta_argument(name, ty, Some(description), None));
    }

    fn read(name: &str, context: &Context<'_>) -> ServerResult<Option<Self>> {
        context.param_value(name, None).map(|(_, value)| value)
    }
}

impl ListArgument for NoArgument {
    fn register(_: &str, _: &'static str, _: &mut Registry, _: &mut FieldArguments) {}

    fn read(_: &str, _: &Context<'_>) -> ServerResult<Option<Self>> {
        Ok(None)
    }
}

impl<W: ListArgument, O: ListArgument> ListArgs<W, O> {
    /// Adds the arguments of a list to a field's arguments.
    pub fn register(registry: &mut Registry, arguments: &mut FieldArguments) {
        i32::register("first", "Return up to the first n items (1–100, default 20).", registry, arguments);
        String::register("after", "Return items after this cursor.", registry, arguments);
        i32::register(
            "last",
            "Return up to the last n items (1–100); cannot be combined with `first`.",
            registry,
            arguments,
        );
        String::register("before", "Return items before this cursor.", registry, arguments);
        W::register("where", "Only items that match this filter.", registry, arguments);
        O::register("orderBy", "Sort order; items with equal values are sorted by ID.", registry, arguments);
    }

    /// Reads the arguments of a field.
    /// # Errors
    /// If a value does not match its type.
    pub fn read(context: &Context<'_>) -> ServerResult<Self> {
        let page = PageArgs {
            first: ListArgument::read("first", context)?,
            after: ListArgument::read("after", context)?,
            last: ListArgument::read("last", context)?,
            before: ListArgument::read("before", context)?,
        };
        Ok(Self { page, filter: W::read("where", context)?, order: O::read("orderBy", context)? })
    }
}

/// The `where` input of a list.
pub trait Where: Default {
    /// Condition type of the list.
    type Condition;

    /// Converts the input to a filter.
    /// # Errors
    /// User errors that name the invalid condition.
    fn into_filter(self) -> Result<Filter<Self::Condition>>;
}

/// The `orderBy` input of a list.
pub trait OrderBy {
    /// Fields that the list can be sorted by.
    type Field: Copy;

    /// Returns the field and the direction.
    fn into_parts(self) -> (Self::Field, Direction);
}

impl<W: Where, O: OrderBy> ListArgs<W, O> {
    /// Builds the list. `order` is the default sort order; `name` returns the name of the list sorted by a field.
    /// # Errors
    /// User errors that name the invalid argument.
    pub fn into_list(
        self,
        order: (O::Field, Direction),
        name: fn(O::Field) -> &'static str,
    ) -> Result<List<W::Condition, O::Field>> {
        let filter = self.filter.unwrap_or_default().into_filter()?;
        build_list(self.page, filter, self.order.map_or(order, O::into_parts), name)
    }
}

/// Builds a list from a page, a filter and a sort order.
/// # Errors
/// Those of [`Page::new`].
pub fn build_list<C, O: Copy>(
    page: PageArgs,
    filter: Filter<C>,
    (order, direction): (O, Direction),
    name: fn(O) -> &'static str,
) -> Result<List<C, O>> {
    Ok(List { filter, order, direction, page: Page::new(name(order), page)? })
}

/// Declares the `where` input of a list: `and`, `or`, `not`, and the given fields.
macro_rules! where_input {
    ($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $visibility:vis $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, async_graphql::InputObject)]
        pub struct $name {
            /// All of these filters match.
            and: Option<Vec<$name>>,
            /// At least one of these filters matches.
            or: Option<Vec<$name>>,
            /// This filter does not match.
            not: Option<Box<$name>>,
            $($(#[$meta])* $visibility $field: $type,)+
        }
    };
}
pub(crate) use where_input;

/// Declares the `orderBy` input of a list.
macro_rules! order_by {
    ($(#[doc = $doc:literal])* $order:ident by $field:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, async_graphql::InputObject)]
        pub struct $order {
            /// Field to sort by.
            field: $field,
            /// Sort direction.
            #[graphql(default)]
            direction: $crate::paging::Direction,
        }

        impl $crate::graphql::engine::list_args::OrderBy for $order {
            type Field = $field;

            fn into_parts(self) -> ($field, $crate::paging::Direction) {
                (self.field, self.direction)
            }
        }
    };
}
pub(crate) use order_by;
