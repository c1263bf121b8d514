//! Plans and writes the customers of a batch.
//! Rule: users are locked in the order of their IDs.

use super::{
    super::{
        super::record::{AddressRecord, CustomerRecord},
        model::{RowOutcome, Run},
    },
    model::{Candidates, CustomerState, Plan},
    store,
};
use crate::{
    db::Conn,
    error::Result,
    sources::{self, model::SourceType},
    users::{
        self,
        model::{AddressFields, ImportedAddress, ImportedUser},
    },
};

/// Writes the rows; a dry run only returns their outcomes.
/// # Errors
/// User errors for rules that only the database checks and that one of the rows violates; database errors.
pub async fn write(
    conn: &Conn,
    run: &Run<'_>,
    records: &[&CustomerRecord],
    is_dry_run: bool,
) -> Result<Vec<RowOutcome>> {
    // The statement locks the users in the order of their IDs, as everywhere.
    let (website, visible) = (run.website.id, run.options.customer_websites.as_deref());
    let found = Candidates::new(store::find(conn, website, visible, records, !is_dry_run).await?, visible.is_some());
    if is_dry_run {
        return Ok(Plan::make(records, &found, Vec::new()).outcomes);
    }
    let ids = users::store::next_ids(conn, records.len()).await?;
    let plan = Plan::make(records, &found, ids);
    users::store::insert_imported(conn, website, &plan.new.iter().map(user).collect::<Vec<_>>()).await?;
    users::store::update_imported(conn, &plan.changed.iter().map(user).collect::<Vec<_>>()).await?;
    users::store::insert_addresses(conn, &plan.addresses.iter().map(address).collect::<Vec<_>>()).await?;
    sources::store::upsert_seen(conn, website, run.lease.id, SourceType::User, &plan.seen).await?;
    Ok(plan.outcomes)
}

fn user(state: &CustomerState) -> ImportedUser<'_> {
    ImportedUser {
        id: state.id,
        name: &state.name,
        phone: state.phone.as_deref(),
        email: state.email.as_deref(),
        is_email_unconfirmed: state.is_email_unconfirmed,
        is_active: state.is_active,
    }
}

fn address((user_id, record): &(i64, &AddressRecord)) -> ImportedAddress {
    let record = (*record).clone();
    ImportedAddress {
        user_id: *user_id,
        fields: AddressFields {
            recipient_name: record.recipient_name,
            company: record.company,
            phone: record.phone,
            country: record.country,
            subdivision: record.subdivision,
            city: record.city,
            district: record.district,
            address: record.address,
            postal_code: record.postal_code,
        },
        is_default: record.is_default,
    }
}
