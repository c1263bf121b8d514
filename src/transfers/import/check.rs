//! What a row may say, before anything is made for it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::{
    super::record::{ProductRecord, Record, Refused},
    categories, customers, orders,
};
use crate::{
    error::Error,
    text::{Check, check_slug},
};

/// Names that a row has met before: a few words for each row of the file, never the rows.
#[derive(Debug, Default)]
pub struct Met {
    state: RandomState,
    lines: HashMap<u64, u64>,
}

impl Met {
    /// Remembers what the row is called.
    /// # Errors
    /// Where an earlier row is called the same.
    pub fn check(&mut self, line: u64, record: &Record) -> Result<(), Refused> {
        let names: [(&str, Option<&str>); 2] = match record {
            Record::Product(product) => [("sku", Some(&product.sku)), ("external_id", product.external_id.as_deref())],
            Record::Category(category) => {
                [("external_id", category.external_id.as_deref()), ("slug", category.slug.as_deref())]
            }
            Record::Customer(customer) => {
                [("external_id", customer.external_id.as_deref()), ("email", customer.email.as_deref())]
            }
            Record::Order(order) => [("number", Some(&order.number)), ("", None)],
        };
        for (column, name) in names {
            let Some(name) = name else { continue };
            let first = *self.lines.entry(self.state.hash_one((column, name))).or_insert(line);
            if first != line {
                let message = format!("line {first} of the file has the same one");
                return Err(Refused { column: Some(column.to_owned()), message });
            }
        }
        Ok(())
    }
}

/// Checks a row by itself, and puts what has a canonical form into it.
/// # Errors
/// The rule that it breaks.
pub fn names(record: &mut Record) -> Result<(), Refused> {
    match record {
        Record::Product(product) => of_product(product),
        Record::Category(category) => categories::check(category),
        Record::Customer(customer) => customers::check(customer),
        Record::Order(order) => orders::check(order),
    }
}

fn of_product(product: &ProductRecord) -> Result<(), Refused> {
    let rule = |column: &str, message: &str| Refused { column: Some(column.to_owned()), message: message.to_owned() };
    let mut check = Check::new();
    for path in product.category.iter().flatten() {
        path.iter().for_each(|name| check.text("category", name, 255));
        if path.len() > 32 {
            return Err(rule("category", "the tree of categories is at most 32 deep"));
        }
    }
    check.optional("brand", product.brand.as_ref().and_then(Option::as_deref), 255);
    check.optional("supplier", product.supplier.as_ref().and_then(Option::as_deref), 255);
    for group in product.group.iter().flatten() {
        check_slug(&mut check, "group", Some(&group.slug));
        check.text("group_name", &group.name, 255);
        for (name, value) in &group.options {
            check.text("options", name, 255);
            check.text("options", value, 255);
        }
        if !(1..=5).contains(&group.options.len()) {
            return Err(rule("options", "a product of a group has from 1 to 5 options"));
        }
    }
    let is_address = |url: &str| ["http://", "https://", "/"].iter().any(|begin| url.starts_with(begin));
    if product.images.iter().flatten().any(|image| !is_address(&image.url)) {
        return Err(rule("images", "an address begins with https:// or http://, or with / where it is of this server"));
    }
    check.finish().map_err(refusal)
}

/// The first broken rule of an error of the user, by the column's name instead of the field's.
pub fn refusal(error: Error) -> Refused {
    let Error::User(rules) = error else { return Refused { column: None, message: error.to_string() } };
    let Some(rule) = rules.into_iter().next() else { return Refused { column: None, message: "not valid".into() } };
    let snake = |field: &str| {
        field.chars().fold(String::new(), |mut name, c| {
            if c.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
            name
        })
    };
    let column = rule.field.filter(|field| !field.is_empty()).map(|field| snake(&field));
    Refused { column, message: rule.message.into_owned() }
}
