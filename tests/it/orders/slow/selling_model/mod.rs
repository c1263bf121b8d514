//! A model-based test of carts and orders: random sequences of operations, each with the outcome that the model
//! predicts, and the same state in both after every step.

mod model;
mod orders;
mod shop;

use proptest::{
    collection::vec,
    test_runner::{Config, TestCaseError, TestRunner},
};

use self::{
    model::{Model, Step, money, step},
    shop::Shop,
};
use crate::support::TestApp;

/// Number of sequences, unless `PROPTEST_CASES` is set, and their maximum length.
const SEQUENCES: u32 = 15;
const STEPS: usize = 40;

fn model_state(model: &Model) -> Vec<String> {
    let stock = model.stock.iter().map(|quantity| format!("(stock,{quantity})"));
    let orders = model.orders.iter().map(|order| {
        let paid: i64 = order.payments.iter().map(|payment| payment.paid).sum();
        let refunded: i64 = order.payments.iter().map(|payment| payment.refunded).sum();
        let shipped: i32 = order.lines.iter().map(|line| line.shipped).sum();
        let returned: i32 = order.lines.iter().map(|line| line.returned).sum();
        let (total, paid, refunded) = (money(order.total()), money(paid), money(refunded));
        format!("({},{total},{paid},{refunded},\"{shipped} {returned}\")", order.status)
    });
    stock.chain(orders).collect()
}

async fn run_steps(steps: &[Step]) -> Result<(), TestCaseError> {
    let app = TestApp::new().await;
    let mut model = Model::default();
    let mut shop = Shop::open(&app, &mut model).await;
    for (index, step) in steps.iter().enumerate() {
        if let Some((said, expected)) = shop.apply(&mut model, step).await
            && said != expected
        {
            return Err(TestCaseError::fail(format!("step {index}, {step:?}: {said}, not {expected}")));
        }
        let (database, memory) = (shop.state().await, model_state(&model));
        if database != memory {
            return Err(TestCaseError::fail(format!("after step {index}, {step:?}: {database:?}, not {memory:?}")));
        }
    }
    app.database.assert_invariants().await;
    Ok(())
}

#[test]
fn shop_matches_its_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { SEQUENCES };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let played = TestRunner::new(config).run(&vec(step(), 1..STEPS), |steps| runtime.block_on(run_steps(&steps)));
    if let Err(error) = played {
        panic!("{error}");
    }
}
