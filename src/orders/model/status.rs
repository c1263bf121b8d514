//! Where an order stands, and who may move it.
//! Rule: [`MOVES`] alone says which moves there are; the diagram in the README is drawn from it.

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
pub enum Mover {
    /// Who placed it: a user, or a guest with the cart token.
    Customer,
    /// Who may run the orders of its website.
    Staff,
    /// Who sells something in it.
    Seller,
}

/// A legal move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Where the order stands.
    pub from: Status,
    /// Where it goes.
    pub to: Status,
    /// Who may move it.
    pub by: &'static [Mover],
}

/// Every legal move. What has been shipped in part cannot be cancelled any more.
pub const MOVES: [Move; 5] = [
    Move { from: Status::Pending, to: Status::Confirmed, by: &[Mover::Staff, Mover::Seller] },
    Move { from: Status::Pending, to: Status::Cancelled, by: &[Mover::Customer, Mover::Staff, Mover::Seller] },
    Move { from: Status::Confirmed, to: Status::Shipped, by: &[Mover::Staff, Mover::Seller] },
    Move { from: Status::Confirmed, to: Status::Cancelled, by: &[Mover::Staff, Mover::Seller] },
    Move { from: Status::Shipped, to: Status::Delivered, by: &[Mover::Staff, Mover::Seller] },
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
    pub fn check_move(self, next: Self, mover: Mover) -> Result<(), String> {
        let (from, to) = (self.as_str(), next.as_str());
        match MOVES.iter().find(|it| it.from == self && it.to == next) {
            None => Err(format!("an order that is {from} cannot become {to}")),
            Some(it) if !it.by.contains(&mover) => {
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
        for it in MOVES {
            assert!(!matches!(it.from, Status::Delivered | Status::Cancelled) && it.from != it.to, "{it:?}");
            assert!(!it.by.is_empty(), "{it:?}");
        }
    }

    #[test]
    fn a_customer_only_calls_off_what_nobody_has_confirmed() {
        let theirs: Vec<_> = MOVES.iter().filter(|it| it.by.contains(&Mover::Customer)).collect();
        assert_eq!(
            theirs.iter().map(|it| (it.from, it.to)).collect::<Vec<_>>(),
            [(Status::Pending, Status::Cancelled)]
        );
    }
}
