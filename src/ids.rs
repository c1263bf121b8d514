//! Row ids that cannot be mixed up, and the opaque global ids made of them.
//! Rule: outside the process an id is base64url of `Type:key`; nobody but this file builds or reads one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    error::{Error, Result},
    registry::domains,
};

/// A typed row id: which table's key it is, and the key.
pub trait RowId: Copy + Eq + Send + Sync + 'static {
    /// The name of the GraphQL type whose rows this id names.
    const TYPE: &'static str;
    /// The id of this key.
    fn from_key(key: i64) -> Self;
    /// The key of this id.
    fn key(self) -> i64;

    /// The opaque global id.
    fn to_global_id(self) -> String {
        encode(Self::TYPE, self.key())
    }

    /// Reads a global id of this type.
    /// # Errors
    /// A user error of `field` where it is malformed or names another type.
    fn parse(field: &str, id: &str) -> Result<Self> {
        let wrong = || Error::bad_input(field.to_owned(), format!("this is not the id of a {}", Self::TYPE));
        let (name, key) = decode(id).ok_or_else(wrong)?;
        if name != Self::TYPE {
            return Err(wrong());
        }
        Ok(Self::from_key(key))
    }
}

/// The global id of a type's name and a key; for where the type is data.
pub fn encode(name: &str, key: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{name}:{key}"))
}

/// The type name and key inside a global id, or `None` where it is malformed.
pub fn decode(id: &str) -> Option<(String, i64)> {
    if id.len() > 100 {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (name, key) = text.split_once(':')?;
    let key: i64 = key.parse().ok()?;
    // One thing has one id: what would not be printed so again is not an id ("Product:+1", "Product:01").
    (key > 0 && text == format!("{name}:{key}")).then(|| (name.to_owned(), key))
}

macro_rules! row_ids {
    ($($(#[$doc:meta])* $id:ident => $name:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        pub struct $id(pub i64);

        impl RowId for $id {
            const TYPE: &'static str = $name;
            fn from_key(key: i64) -> Self {
                Self(key)
            }
            fn key(self) -> i64 {
                self.0
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::BigInt, diesel::pg::Pg> for $id {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                i64::from_sql(bytes).map(Self)
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::BigInt, diesel::pg::Pg> for $id {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                <i64 as diesel::serialize::ToSql<diesel::sql_types::BigInt, diesel::pg::Pg>>::to_sql(&self.0, out)
            }
        }
    )*};
}

row_ids! {
    /// What happened to an order.
    OrderEventId => "OrderEvent";
    /// A step of a payment.
    PaymentOperationId => "PaymentOperation";
    /// What somebody searched; made by the program, see `analytics::model`.
    SearchId => "Search";
}

/// The ids of all resources.
macro_rules! resource_ids {
    ($($doc:literal $type:ident($id:ident);)*) => {
        row_ids! {$(#[doc = $doc] $id => stringify!($type);)*}

        const RESOURCES: &[&str] = &[$(stringify!($type)),*];
    };
}

domains!(ids => resource_ids);

/// The resource whose keys a column holds by its name: `order_detail_id` those of `OrderDetail`.
pub fn resource_of_column(column: &str) -> Option<&'static str> {
    let name = column.strip_suffix("_id")?.replace('_', "");
    RESOURCES.iter().copied().find(|resource| resource.eq_ignore_ascii_case(&name))
}
