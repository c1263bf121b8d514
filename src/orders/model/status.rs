//! The status of an order and who may change it.
//! Rule: [`TRANSITIONS`] is the only list of allowed changes; the diagram in the README is drawn from it.

use std::str::FromStr;

use diesel::{
    deserialize::{self, FromSql},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};

/// Status of an order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, diesel::deserialize::FromSqlRow, async_graphql::Enum,
)]
#[diesel(sql_type = Text)]
#[graphql(name = "OrderStatus")]
pub enum Status {
    /// The order was placed; its lines can still be changed.
    Pending,
    /// The order was confirmed by the shop.
    Confirmed,
    /// The order was shipped.
    Shipped,
    /// The order was delivered.
    Delivered,
    /// The order was canceled; its units are back in stock.
    Cancelled,
}

/// Role in which a viewer acts on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderActor {
    /// The customer who placed the order: a user, or a guest with the cart token.
    Customer,
    /// Staff with permission to manage the orders of the website.
    Staff,
    /// A seller of at least one line of the order, who sees and moves their own lines only.
    Seller,
}

/// An allowed status change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Status before the change.
    pub from: Status,
    /// Status after the change.
    pub to: Status,
    /// Roles that may make the change.
    pub by: &'static [OrderActor],
}

/// All allowed status changes. A partially shipped order cannot be canceled.
pub const TRANSITIONS: [Transition; 5] = [
    Transition { from: Status::Pending, to: Status::Confirmed, by: &[OrderActor::Staff, OrderActor::Seller] },
    Transition {
        from: Status::Pending,
        to: Status::Cancelled,
        by: &[OrderActor::Customer, OrderActor::Staff, OrderActor::Seller],
    },
    Transition { from: Status::Confirmed, to: Status::Shipped, by: &[OrderActor::Staff, OrderActor::Seller] },
    Transition { from: Status::Confirmed, to: Status::Cancelled, by: &[OrderActor::Staff, OrderActor::Seller] },
    Transition { from: Status::Shipped, to: Status::Delivered, by: &[OrderActor::Staff, OrderActor::Seller] },
];

impl Status {
    /// All statuses, in the order of an order's life cycle.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Confirmed, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// Returns the value stored in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the change to the next status.
    /// # Errors
    /// The reason as a message if no role may make this change.
    pub fn transition(self, next: Self) -> Result<&'static Transition, String> {
        let possible: Vec<_> = TRANSITIONS.iter().filter(|transition| transition.from == self).collect();
        if let Some(transition) = possible.iter().find(|transition| transition.to == next) {
            return Ok(transition);
        }
        let (from, to) = (self.as_str(), next.as_str());
        let others: Vec<_> = possible.iter().map(|transition| transition.to.as_str()).collect();
        Err(match others.as_slice() {
            _ if self == next => format!("the order is already {to}"),
            [] => format!("the order is {from}, and its status cannot change any more"),
            others => format!("an order that is {from} cannot change to {to}, only to {}", others.join(" or ")),
        })
    }
}

impl Transition {
    /// Checks whether the actor may make this change.
    /// # Errors
    /// The reason as a message.
    pub fn check_actor(&self, actor: OrderActor) -> Result<(), String> {
        if self.by.contains(&actor) {
            return Ok(());
        }
        let (from, to) = (self.from.as_str(), self.to.as_str());
        Err(format!("the order is {from}; only the shop can change it to {to}"))
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not an order status"))
    }
}

impl FromSql<Text, Pg> for Status {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(std::str::from_utf8(bytes.as_bytes())?.parse::<Self>()?)
    }
}

impl ToSql<Text, Pg> for Status {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_statuses_have_no_transitions() {
        for transition in TRANSITIONS {
            assert!(
                !matches!(transition.from, Status::Delivered | Status::Cancelled) && transition.from != transition.to,
                "{transition:?}"
            );
            assert!(!transition.by.is_empty(), "{transition:?}");
        }
    }

    #[test]
    fn messages_name_the_status_and_what_is_possible() {
        let rejection = |from: Status, to: Status| from.transition(to).unwrap_err();
        assert_eq!(
            rejection(Status::Pending, Status::Shipped),
            "an order that is pending cannot change to shipped, only to confirmed or cancelled"
        );
        assert_eq!(rejection(Status::Shipped, Status::Shipped), "the order is already shipped");
        assert_eq!(
            rejection(Status::Delivered, Status::Cancelled),
            "the order is delivered, and its status cannot change any more"
        );
        let shipped = Status::Confirmed.transition(Status::Shipped).unwrap();
        assert_eq!(
            shipped.check_actor(OrderActor::Customer).unwrap_err(),
            "the order is confirmed; only the shop can change it to shipped"
        );
        assert!(shipped.check_actor(OrderActor::Seller).is_ok());
    }

    #[test]
    fn customers_can_cancel_only_pending_orders() {
        let theirs: Vec<_> =
            TRANSITIONS.iter().filter(|transition| transition.by.contains(&OrderActor::Customer)).collect();
        assert_eq!(
            theirs.iter().map(|transition| (transition.from, transition.to)).collect::<Vec<_>>(),
            [(Status::Pending, Status::Cancelled)]
        );
    }
}
