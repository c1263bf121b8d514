//! Where an order stands, and who may move it.
//! Rule: [`TRANSITIONS`] alone says which moves there are; the diagram in the README is drawn from it.

use std::str::FromStr;

use diesel::{
    deserialize::{self, FromSql},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::Text,
};

/// Where an order stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, diesel::deserialize::FromSqlRow, async_graphql::Enum,
)]
#[diesel(sql_type = Text)]
#[graphql(name = "OrderStatus")]
pub enum Status {
    /// Placed; its lines can still be changed.
    Pending,
    /// Accepted by the shop.
    Confirmed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off; its stock is back.
    Cancelled,
}

/// As whom somebody moves an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderActor {
    /// Who placed it: a user, or a guest with the cart token.
    Customer,
    /// Who may run the orders of its website.
    Staff,
    /// Who sells something in it.
    Seller,
}

/// A legal move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where the order stands.
    pub from: Status,
    /// Where it goes.
    pub to: Status,
    /// Who may move it.
    pub by: &'static [OrderActor],
}

/// Every legal move. What has been shipped in part cannot be cancelled any more.
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
    /// Every status, in the order of an order's life.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Confirmed, Self::Shipped, Self::Delivered, Self::Cancelled];

    /// The value in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether somebody may make this move.
    /// # Errors
    /// Why not, in words.
    pub fn check_transition(self, next: Self, actor: OrderActor) -> Result<(), String> {
        let (from, to) = (self.as_str(), next.as_str());
        match TRANSITIONS.iter().find(|transition| transition.from == self && transition.to == next) {
            None => Err(format!("an order that is {from} cannot become {to}")),
            Some(transition) if !transition.by.contains(&actor) => {
                Err(format!("this order is {from}: from here only the shop can make it {to}"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no order status"))
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
    fn nothing_leaves_the_end_states_and_no_move_stays() {
        for transition in TRANSITIONS {
            assert!(
                !matches!(transition.from, Status::Delivered | Status::Cancelled) && transition.from != transition.to,
                "{transition:?}"
            );
            assert!(!transition.by.is_empty(), "{transition:?}");
        }
    }

    #[test]
    fn a_customer_only_calls_off_what_nobody_has_confirmed() {
        let theirs: Vec<_> =
            TRANSITIONS.iter().filter(|transition| transition.by.contains(&OrderActor::Customer)).collect();
        assert_eq!(
            theirs.iter().map(|transition| (transition.from, transition.to)).collect::<Vec<_>>(),
            [(Status::Pending, Status::Cancelled)]
        );
    }
}
