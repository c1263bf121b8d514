//! The shipping and the billing address of an order.
//! Rule: they are copies, so that later changes of a saved address do not affect the order. An order without a billing
//! address of its own is billed to its shipping address.

use std::io::Write;

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    serialize::{self, Output, ToSql},
    sql_types::Jsonb,
};
use serde::{Deserialize, Serialize};

use crate::{
    db::tables::orders,
    postal::{CountryCode, subdivision_name},
    users::model::AddressFields,
};

/// An address of an order, also as stored in `orders.billing_address`. Addresses of past orders may lack any part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(default)]
#[diesel(sql_type = Jsonb)]
pub struct OrderAddress {
    /// Name of the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_name: Option<String>,
    /// Company of the recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Phone number for questions about the delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// ISO 3166-1 alpha-2 code of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// ISO 3166-2 code of the subdivision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdivision: Option<String>,
    /// City or town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// District or county.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

impl FromSql<Jsonb, Pg> for OrderAddress {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for OrderAddress {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version of the binary format of jsonb.
        out.write_all(&[1])?;
        serde_json::to_writer(out, self)?;
        Ok(serialize::IsNull::No)
    }
}

/// Shipping address of an order, as columns.
#[derive(Debug, Clone, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, check_for_backend(diesel::pg::Pg))]
pub struct Shipping {
    /// See [`OrderAddress`].
    pub ship_recipient_name: Option<String>,
    /// See [`OrderAddress`].
    pub ship_company: Option<String>,
    /// See [`OrderAddress`].
    pub ship_phone: Option<String>,
    /// See [`OrderAddress`].
    pub ship_country: Option<String>,
    /// See [`OrderAddress`].
    pub ship_subdivision: Option<String>,
    /// See [`OrderAddress`].
    pub ship_city: Option<String>,
    /// See [`OrderAddress`].
    pub ship_district: Option<String>,
    /// See [`OrderAddress`].
    pub ship_address: Option<String>,
    /// See [`OrderAddress`].
    pub ship_postal_code: Option<String>,
}

impl From<AddressFields> for OrderAddress {
    fn from(fields: AddressFields) -> Self {
        Self {
            recipient_name: fields.recipient_name,
            company: fields.company,
            phone: fields.phone,
            country: Some(fields.country),
            subdivision: fields.subdivision,
            city: Some(fields.city),
            district: fields.district,
            address: Some(fields.address),
            postal_code: fields.postal_code,
        }
    }
}

impl From<OrderAddress> for Shipping {
    fn from(address: OrderAddress) -> Self {
        Self {
            ship_recipient_name: address.recipient_name,
            ship_company: address.company,
            ship_phone: address.phone,
            ship_country: address.country,
            ship_subdivision: address.subdivision,
            ship_city: address.city,
            ship_district: address.district,
            ship_address: address.address,
            ship_postal_code: address.postal_code,
        }
    }
}

impl From<Shipping> for OrderAddress {
    fn from(shipping: Shipping) -> Self {
        Self {
            recipient_name: shipping.ship_recipient_name,
            company: shipping.ship_company,
            phone: shipping.ship_phone,
            country: shipping.ship_country,
            subdivision: shipping.ship_subdivision,
            city: shipping.ship_city,
            district: shipping.ship_district,
            address: shipping.ship_address,
            postal_code: shipping.ship_postal_code,
        }
    }
}

impl OrderAddress {
    /// Returns the country; none if the address has none.
    pub fn country_code(&self) -> Option<CountryCode> {
        self.country.as_deref().and_then(CountryCode::from_stored)
    }

    /// Returns the lines of the address label.
    pub fn lines(&self) -> Vec<String> {
        let join = |parts: [&Option<String>; 2]| parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let subdivision = self.subdivision.as_deref().and_then(subdivision_name).map(ToOwned::to_owned);
        let country = self.country_code().filter(|country| *country != CountryCode::UNKNOWN);
        let lines = [
            self.recipient_name.clone(),
            self.company.clone(),
            self.address.clone(),
            self.district.clone(),
            Some(join([&self.postal_code, &self.city])),
            subdivision,
            country.map(|country| country.name().to_owned()),
        ];
        lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_has_a_line_for_each_part_that_is_given() {
        let some = |text: &str| Some(text.to_owned());
        let address = OrderAddress {
            recipient_name: some("Ada Byron"),
            company: some("Analytical Engines"),
            phone: some("+12025550143"),
            country: some("US"),
            subdivision: some("US-CA"),
            city: some("Cupertino"),
            address: some("1 Loop"),
            postal_code: some("95014"),
            ..OrderAddress::default()
        };
        let lines = ["Ada Byron", "Analytical Engines", "1 Loop", "95014 Cupertino", "California", "United States"];
        assert_eq!(address.lines(), lines);
        let unknown = OrderAddress { country: some("ZZ"), district: some("Narnia"), ..OrderAddress::default() };
        assert_eq!(unknown.lines(), ["Narnia"]);
        assert_eq!(OrderAddress::default().lines(), [""; 0]);
    }

    #[test]
    fn columns_and_json_keep_every_part() {
        let part = |name: &str| serde_json::Value::String(name.to_owned());
        let names = [
            "recipient_name",
            "company",
            "phone",
            "country",
            "subdivision",
            "city",
            "district",
            "address",
            "postal_code",
        ];
        let json: serde_json::Map<_, _> = names.into_iter().map(|name| (name.to_owned(), part(name))).collect();
        let address: OrderAddress = serde_json::from_value(json.clone().into()).unwrap();
        assert_eq!(OrderAddress::from(Shipping::from(address.clone())), address);
        assert_eq!(serde_json::to_value(&address).unwrap(), serde_json::Value::from(json));
        assert_eq!(serde_json::to_string(&OrderAddress::default()).unwrap(), "{}");
    }
}
