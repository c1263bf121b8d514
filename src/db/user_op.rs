//! Conditions of filters on a user who may be hidden from the viewer: the seller of a product, the customer of an order.
//! Rule: a filter tells the viewer no more than the field does. A user who is not visible to the viewer counts as null.

/// Builds the condition for an operator on a nullable column with the ID of a user, as [`op!`](crate::op) does, for a
/// viewer who may see the users of this scope.
macro_rules! user_op {
    ($scope:expr, $op:expr, $table:ident.$column:ident) => {{
        use $crate::{
            auth::Scope,
            db::{
                filter::{Condition, Op, constant},
                tables::users,
            },
        };
        let (id, is_set) = (|| $table::$column.assume_not_null(), || $table::$column.is_not_null());
        let is_visible: Option<Condition<'static, $table::table>> = match $scope {
            Scope::All => None,
            Scope::Own(viewer) | Scope::Seller { own: viewer, .. } => Some(Box::new(is_set().and(id().eq(*viewer)))),
            Scope::Websites(viewer, websites) => {
                let website = users::source_website_id;
                let theirs = users::table.filter(website.is_not_null()).select(users::id);
                let theirs = theirs.filter(website.assume_not_null().eq_any(websites.to_vec()));
                Some(Box::new(is_set().and(id().eq(*viewer).or(id().eq_any(theirs)))))
            }
            Scope::Public | Scope::Guest(_) => Some(constant(false)),
        };
        let matches: Condition<'static, $table::table> = $crate::op!($op, id(), $table::$column);
        match (is_visible, $op) {
            (None, _) => matches,
            (Some(is_visible), Op::IsNull(true)) => Box::new(diesel::dsl::not(is_visible)),
            (Some(is_visible), _) => Box::new(is_visible.and(matches)),
        }
    }};
}
pub(crate) use user_op;
