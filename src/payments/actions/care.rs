//! What jobs do with payments: look after operations that are pending, capture what is authorised, undo what was paid for
//! a cancelled order. Rule: each may run twice, and finds nothing left to do the second time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Begun, ask, begin, lock, look_later, take};
use crate::{
    auth::Scope,
    db::Db,
    error::{Error, Result},
    ids::{OrderId, PaymentId, PaymentOperationId},
    jobs::model::{Failure, JobRow},
    orders::model::Status as OrderStatus,
    payments::{
        model::{Kind, Left, NewOperation, OperationStatus},
        providers::{Answer, Providers},
        store,
    },
};

/// The kind of the jobs that look after an operation.
pub const OPERATION: &str = "payment_operation";
/// The kind of the jobs that capture what is authorised.
pub const CAPTURE: &str = "payment_capture";

/// The pause after the first look; each further one doubles it, up to an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Which operation to look after.
#[derive(Debug, Serialize, Deserialize)]
pub struct Look {
    /// Which.
    pub operation: PaymentOperationId,
    /// The source of an authorisation. This is the only place that holds it, and goes with the operation's end.
    pub source: Option<String>,
    /// How often somebody looked before.
    pub looks: u32,
}

/// Finds out what became of an operation, and asks for it again where the provider never heard of it. As long as nobody
/// knows, another job looks later: this one is never dead for that.
/// # Errors
/// Those of the database.
pub async fn look_after(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let Look { operation: id, source, looks } = job.payload()?;
    let found = db.read(async |conn| {
        let Some(operation) = store::find_operation(conn, id).await? else { return Ok(None) };
        let payment = store::by_ids(conn, &Scope::All, &[operation.payment_id]).await?.pop();
        Ok(payment.map(|payment| (payment, operation)))
    });
    let Some((payment, operation)) = found.await? else { return Ok(()) };
    if operation.status != OperationStatus::Pending {
        return Ok(());
    }
    let begun = Begun { payment, operation, source };
    let provider = begun.payment.provider;
    let why = match providers.ask_again(provider, &begun.call()?).await {
        Ok(answer) => {
            take(db, providers, &begun, &answer).await?;
            match answer {
                Answer::Pending { .. } => "it is pending",
                Answer::Done { .. } | Answer::Declined { .. } => return Ok(()),
            }
            .to_owned()
        }
        Err(unknown) => unknown.0,
    };
    tracing::warn!(
        operation = id.0,
        provider = provider.as_str(),
        looks,
        why,
        "a payment operation is looked after later"
    );
    let pause = (FIRST_PAUSE * 2_u32.pow(looks.min(10))).min(LONGEST_PAUSE);
    db.transaction(async |conn| {
        // Under the payment's lock, so that nobody settles it meanwhile and leaves the new job behind.
        lock(conn, begun.payment.id).await?;
        match store::find_operation(conn, id).await? {
            Some(operation) if operation.status == OperationStatus::Pending => {
                look_later(conn, &operation, begun.source.clone(), looks.saturating_add(1), pause).await
            }
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}

#[derive(Deserialize)]
struct Captured {
    payment: PaymentId,
}

/// Captures all that is authorised of a payment.
/// # Errors
/// Those of the database.
pub async fn capture(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let Captured { payment } = job.payload()?;
    // What is cancelled meanwhile is voided by a job of its own.
    begin_all(db, providers, payment, |status| status != OrderStatus::Cancelled, &[Kind::Capture], None).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Cancelled {
    order: OrderId,
}

/// Undoes the payment of a cancelled order: what is only authorised is voided, what is paid is refunded. What is pending
/// at this moment brings another such job when it succeeds.
/// # Errors
/// Those of the database.
pub async fn undo(db: &Db, providers: &Providers, job: &JobRow) -> Result<(), Failure> {
    let Cancelled { order } = job.payload()?;
    let Some(live) = db.read(async |conn| store::find_live(conn, order).await).await? else { return Ok(()) };
    let reason = Some("the order was cancelled");
    begin_all(db, providers, live.id, |status| status == OrderStatus::Cancelled, &[Kind::Void, Kind::Refund], reason)
        .await?;
    Ok(())
}

/// Does all of these kinds that can be done with a payment whose order is in the right state. What the provider refuses
/// stands in the history of the order, and is for people to see to.
async fn begin_all(
    db: &Db,
    providers: &Providers,
    id: PaymentId,
    is_right: impl Fn(OrderStatus) -> bool + Send + Sync,
    kinds: &[Kind],
    reason: Option<&str>,
) -> Result<()> {
    let begun = db.transaction(async |conn| {
        let mut begun = Vec::new();
        let Some((order, payment, _)) = lock(conn, id).await? else { return Ok(begun) };
        if !is_right(order.status) {
            return Ok(begun);
        }
        let operations = store::operations_by_payment_ids(conn, &[id]).await?;
        let left = Left::of(&payment, &operations);
        for kind in kinds {
            let amount = match left.amount(*kind, None) {
                Ok(amount) => amount,
                Err(Error::User(_)) => continue,
                Err(error) => return Err(error),
            };
            let reason = reason.map(ToOwned::to_owned);
            let new = NewOperation { payment_id: id, kind: *kind, amount, user_id: None, reason };
            begun.push(begin(conn, providers, payment.clone(), &new, None).await?);
        }
        Ok(begun)
    });
    for begun in begun.await? {
        ask(db, providers, &begun).await?;
    }
    Ok(())
}
