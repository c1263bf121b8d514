//! The arguments of a list, written once: which page, which rows, in which order.
//! Rule: a field that takes a [`ListArgs`] has all of `first`, `after`, `last` and `before`, `where` and `orderBy` as far as
//! the list has them, and costs its rows times what is selected of each.

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

/// The arguments of a list with the filter `W` and the order `O`.
pub struct ListArgs<W = NoArgument, O = NoArgument> {
    /// Which part of the list.
    pub page: PageArgs,
    /// Which rows.
    pub filter: Option<W>,
    /// In which order.
    pub order: Option<O>,
}

/// The filter of a list that has none, and the order of a list that has one only.
pub enum NoArgument {}

/// An argument that a list has or, as [`NoArgument`], has not.
pub trait ListArgument: Sized {
    /// Describes the argument.
    fn register(name: &str, description: &'static str, registry: &mut Registry, arguments: &mut FieldArguments);

    /// Reads the argument.
    /// # Errors
    /// Where the value does not fit the type.
    fn read(name: &str, context: &Context<'_>) -> ServerResult<Option<Self>>;
}

/// The arguments of a field by their names.
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
    /// Describes the arguments.
    pub fn register(registry: &mut Registry, arguments: &mut FieldArguments) {
        i32::register(
            "first",
            "Rows from the start of the list, 1 to 100; 20 where neither `first` nor `last` is given.",
            registry,
            arguments,
        );
        String::register("after", "Only rows behind this cursor.", registry, arguments);
        i32::register(
            "last",
            "Rows from the end of the list, 1 to 100; not together with `first`.",
            registry,
            arguments,
        );
        String::register("before", "Only rows before this cursor.", registry, arguments);
        W::register("where", "Only rows for which this holds.", registry, arguments);
        O::register("orderBy", "In which order; the id breaks ties.", registry, arguments);
    }

    /// Reads the arguments of a field.
    /// # Errors
    /// Where a value does not fit its type.
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

/// The `where` of a list.
pub trait Where: Default {
    /// A condition of the list.
    type Condition;

    /// The filter that it stands for.
    /// # Errors
    /// User errors naming the condition.
    fn into_filter(self) -> Result<Filter<Self::Condition>>;
}

/// The `orderBy` of a list.
pub trait OrderBy {
    /// What the list may be ordered by.
    type Field: Copy;

    /// The field and the direction.
    fn into_parts(self) -> (Self::Field, Direction);
}

impl<W: Where, O: OrderBy> ListArgs<W, O> {
    /// The list that is asked for; `order` holds where none is given, `name` names the list of an order.
    /// # Errors
    /// User errors naming the argument.
    pub fn into_list(
        self,
        order: (O::Field, Direction),
        name: fn(O::Field) -> &'static str,
    ) -> Result<List<W::Condition, O::Field>> {
        let filter = self.filter.unwrap_or_default().into_filter()?;
        build_list(self.page, filter, self.order.map_or(order, O::into_parts), name)
    }
}

/// The list of a page, a filter and an order.
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

/// Declares the `where` of a list: `and`, `or` and `not`, and the fields that are given.
macro_rules! where_input {
    ($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $visibility:vis $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default, async_graphql::InputObject)]
        pub struct $name {
            /// All of these hold.
            and: Option<Vec<$name>>,
            /// At least one of these holds.
            or: Option<Vec<$name>>,
            /// This does not hold.
            not: Option<Box<$name>>,
            $($(#[$meta])* $visibility $field: $type,)+
        }
    };
}
pub(crate) use where_input;

/// Declares the `orderBy` of a list.
macro_rules! order_by {
    ($(#[doc = $doc:literal])* $order:ident by $field:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, async_graphql::InputObject)]
        pub struct $order {
            /// By what.
            field: $field,
            /// Which way.
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
