//! Rules for customers in files, and the plan of a batch.
//! Rule: an account that can log in takes nothing over before its email address is confirmed: the row creates a customer
//! who is kept apart until then, and so does a row for a customer who is not visible to the importing user. A customer of
//! two websites is then one user with two external IDs and keeps the values set by the first website. Staff members are
//! never changed, nor is an email address, which is used to log in. Passwords are neither imported nor exported.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Bool, Jsonb, Nullable, Text},
};
use serde_json::Value;

use super::super::{
    super::record::{AddressRecord, CustomerRecord, Rejection},
    addresses::{check_country, check_subdivision},
    model::RowOutcome,
};
use crate::{
    postal::CountryCode,
    text::{self, Validator},
    users::model::MAX_ADDRESSES,
};

/// The rule for rows about an account that can log in with an address that its owner has not confirmed.
pub const UNCONFIRMED: &str = "the user with this external ID has not confirmed the email address of the account yet";

/// The columns of a customer that a file can set.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
pub struct CustomerState {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// External ID at the website, if any.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    /// Email address.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    /// Whether no account has confirmed the email address, so that it cannot be used to log in.
    #[diesel(sql_type = Bool)]
    pub is_email_unconfirmed: bool,
    /// Name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Phone number.
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// Whether the customer can log in.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    /// Whether the user has the customer role.
    #[diesel(sql_type = Bool)]
    pub is_customer: bool,
    /// Whether the importing user may see the customer.
    #[diesel(sql_type = Bool)]
    pub is_visible: bool,
    /// Whether rows can change the customer: false for an account that can log in with an address that is not confirmed.
    #[diesel(sql_type = Bool)]
    pub can_be_changed: bool,
    /// Whether rows find the customer by the email address.
    #[diesel(sql_type = Bool)]
    pub can_be_found_by_email: bool,
    /// Whether the customer was first created for this website.
    #[diesel(sql_type = Bool)]
    pub is_source_website: bool,
    /// Whether the customer is known to this website.
    #[diesel(sql_type = Bool)]
    pub is_known: bool,
    /// Addresses, as an array of [`AddressRecord`].
    #[diesel(sql_type = Jsonb)]
    pub addresses: Value,
}

/// Trims and checks a row by itself, and normalizes email address and phone number. A phone number without country code
/// is read in the country of the row's default or first address.
/// # Errors
/// The rule that the row violates.
pub fn check(record: &mut CustomerRecord) -> Result<(), Rejection> {
    let mut validator = Validator::new();
    validator.texts("external_id", &mut record.external_id, 255);
    validator.texts("name", &mut record.name, 255);
    if let Some(email) = &mut record.email {
        *email = validator.value_or_default(text::normalize_email("email", email));
    }
    for address in record.addresses.iter_mut().flatten() {
        check_address(&mut validator, address);
    }
    let addresses = || record.addresses.iter().flatten();
    let home = addresses().find(|address| address.is_default).or_else(|| addresses().next());
    if let Some(Some(phone)) = &mut record.phone {
        let country = home.map(|address| address.country.as_str());
        *phone = validator.value_or_default(text::normalize_phone("phone", phone, country));
    }
    validator.finish().map_err(Rejection::from)
}

fn check_address(validator: &mut Validator, address: &mut AddressRecord) {
    const COLUMN: &str = "addresses";
    validator.texts(COLUMN, &mut address.recipient_name, 255);
    validator.texts(COLUMN, &mut address.company, 255);
    let country = check_country(validator, COLUMN, &mut address.country);
    if let Some(subdivision) = &mut address.subdivision {
        check_subdivision(validator, COLUMN, subdivision, country);
    }
    if let Some(phone) = &mut address.phone {
        let country = country.as_ref().map(CountryCode::as_str);
        *phone = validator.value_or_default(text::normalize_phone(COLUMN, phone, country));
    }
    validator.text(COLUMN, &mut address.city, 100);
    validator.texts(COLUMN, &mut address.district, 100);
    validator.street_lines(COLUMN, [&mut address.address], 500);
    validator.texts(COLUMN, &mut address.postal_code, 20);
}

/// The users that rows of a batch can be about.
pub struct Candidates {
    by_id: HashMap<String, CustomerState>,
    by_email: HashMap<String, CustomerState>,
    /// Email addresses of accounts that are not found by them.
    held: HashSet<String>,
    /// Whether the importing user may see the customers of some websites only. Whether other users have an email address
    /// is not looked up, so that nothing can reveal it.
    is_limited: bool,
}

impl Candidates {
    /// Sorts the users by how rows find them.
    pub fn new(found: Vec<CustomerState>, is_limited: bool) -> Self {
        let (mut by_id, mut by_email, mut held) = (HashMap::new(), HashMap::new(), HashSet::new());
        for state in found {
            if let Some(id) = &state.external_id {
                by_id.insert(id.clone(), state.clone());
            }
            let Some(email) = state.email.clone().filter(|_| state.is_visible) else { continue };
            if !state.can_be_found_by_email && state.is_customer {
                held.insert(email);
            } else if !state.is_email_unconfirmed || !by_email.contains_key(&email) {
                by_email.insert(email, state);
            }
        }
        Self { by_id, by_email, held, is_limited }
    }

    fn find(&self, record: &CustomerRecord) -> Option<&CustomerState> {
        let by_id = record.external_id.as_ref().and_then(|id| self.by_id.get(id));
        by_id.or_else(|| self.by_email.get(record.email.as_ref()?))
    }

    /// Returns whether a customer with this email address is kept apart until an account confirms it.
    fn is_unconfirmed(&self, email: &str) -> bool {
        self.is_limited || self.held.contains(email)
    }
}

/// The plan for the rows of a batch.
#[derive(Debug, Default)]
pub struct Plan<'r> {
    /// The outcome of each row, in order.
    pub outcomes: Vec<RowOutcome>,
    /// Customers to create.
    pub new: Vec<CustomerState>,
    /// New states of the existing customers that change.
    pub changed: Vec<CustomerState>,
    /// Primary keys and external IDs of the customers in the rows.
    pub seen: Vec<(i64, Option<&'r str>)>,
    /// Addresses to add, with the customer's primary key.
    pub addresses: Vec<(i64, &'r AddressRecord)>,
}

impl<'r> Plan<'r> {
    /// Determines the outcome of each row. New customers get the `ids` in order; a dry run has none and uses 0.
    pub fn make(records: &[&'r CustomerRecord], found: &Candidates, ids: Vec<i64>) -> Self {
        let (mut plan, mut ids, mut matched) = (Self::default(), ids.into_iter(), HashSet::new());
        for record in records {
            let before = found.find(record);
            match plan_row(record, before, found, &matched) {
                Err(rejection) => plan.outcomes.push(RowOutcome::Rejected(rejection)),
                Ok((state, added)) => {
                    matched.extend(before.map(|before| before.id));
                    plan.add(record, before, state, added, &mut ids);
                }
            }
        }
        plan
    }

    fn add(
        &mut self,
        record: &'r CustomerRecord,
        before: Option<&CustomerState>,
        mut state: CustomerState,
        added: Vec<&'r AddressRecord>,
        ids: &mut impl Iterator<Item = i64>,
    ) {
        self.outcomes.push(match before {
            None => RowOutcome::Created,
            Some(before) if *before == state && added.is_empty() && before.is_known => RowOutcome::Unchanged,
            Some(_) => RowOutcome::Updated,
        });
        if before.is_none() {
            state.id = ids.next().unwrap_or_default();
        }
        self.seen.push((state.id, record.external_id.as_deref()));
        self.addresses.extend(added.into_iter().map(|address| (state.id, address)));
        match before {
            None => self.new.push(state),
            Some(before) if *before != state => self.changed.push(state),
            Some(_) => {}
        }
    }
}

/// Returns the new state of a customer and the addresses to add.
fn plan_row<'r>(
    record: &'r CustomerRecord,
    before: Option<&CustomerState>,
    found: &Candidates,
    matched: &HashSet<i64>,
) -> Result<(CustomerState, Vec<&'r AddressRecord>), Rejection> {
    let mut state = match before {
        Some(before) if !before.is_visible => {
            return Err(Rejection::at("external_id", "another user has this external ID at the website"));
        }
        Some(before) if matched.contains(&before.id) => {
            return Err(Rejection::at("email", "an earlier row of the file has the same customer"));
        }
        Some(before) if !before.is_customer => return Err(Rejection::at("email", "the user is a staff member")),
        Some(before) => {
            check_identity(record, before)?;
            before.clone()
        }
        None => {
            let name = record.name.clone().ok_or_else(|| Rejection::at("name", "a new customer must have a name"))?;
            CustomerState {
                name,
                is_active: true,
                is_customer: true,
                is_visible: true,
                can_be_changed: true,
                can_be_found_by_email: true,
                is_source_website: true,
                addresses: Value::Array(Vec::new()),
                ..CustomerState::default()
            }
        }
    };
    if record.external_id.is_some() {
        state.external_id.clone_from(&record.external_id);
    }
    match (&record.email, &state.email) {
        (Some(given), Some(has)) if given != has => {
            return Err(Rejection::at(
                "email",
                "the customer has another email address; only the customer can change it",
            ));
        }
        (Some(given), None) => {
            state.is_email_unconfirmed = found.is_unconfirmed(given);
            state.email.clone_from(&record.email);
        }
        _ => {}
    }
    if state.is_source_website {
        if let Some(name) = &record.name {
            state.name.clone_from(name);
        }
        if let Some(phone) = &record.phone {
            state.phone.clone_from(phone);
        }
        if let Some(is_active) = record.is_active {
            state.is_active = is_active;
        }
    }
    let added = new_addresses(record, &state)?;
    if before.is_some_and(|before| !before.can_be_changed && (*before != state || !added.is_empty())) {
        return Err(Rejection::at("external_id", UNCONFIRMED));
    }
    Ok((state, added))
}

/// Checks that a row found by its email address does not take over a customer who has another external ID.
fn check_identity(record: &CustomerRecord, before: &CustomerState) -> Result<(), Rejection> {
    match (&record.external_id, &before.external_id) {
        (Some(own), Some(other)) if own != other => {
            let rule = format!(
                "a customer with another external ID has this email address: the row has {own:?}, the customer {other:?}"
            );
            Err(Rejection::at("email", rule))
        }
        _ => Ok(()),
    }
}

/// Returns the addresses of a row that the customer does not have yet.
fn new_addresses<'r>(record: &'r CustomerRecord, state: &CustomerState) -> Result<Vec<&'r AddressRecord>, Rejection> {
    let has: Vec<AddressRecord> = serde_json::from_value(state.addresses.clone()).unwrap_or_default();
    let key = |address: &AddressRecord| {
        let of = address.clone();
        let recipient = (of.recipient_name, of.company, of.phone);
        (recipient, of.country, of.subdivision, of.city, of.district, of.address, of.postal_code)
    };
    let mut keys: BTreeSet<_> = has.iter().map(key).collect();
    let has_default = has.iter().any(|address| address.is_default);
    let added: Vec<_> = record.addresses.iter().flatten().filter(|address| keys.insert(key(address))).collect();
    if keys.len() as i64 > MAX_ADDRESSES {
        return Err(Rejection::at("addresses", format!("a customer has at most {MAX_ADDRESSES} addresses")));
    }
    if added.iter().filter(|address| address.is_default).count() + usize::from(has_default) > 1 {
        return Err(Rejection::at("addresses", "only one address can be the default"));
    }
    Ok(added)
}
