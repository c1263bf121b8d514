//! Fixtures of webhooks for the tests of all domains.

use futures_util::FutureExt;
use souk::ids::{RowId, WebhookDeliveryId, WebhookSubscriptionId};

use crate::support::{
    bulk::{BASE, nth_id},
    domain_fixtures::{AuditCase, BatchCase, DomainFixtures},
};

pub const FIXTURES: DomainFixtures = DomainFixtures {
    rows: |actor, product| {
        async move {
            let (database, user, product) = (&actor.app.database, actor.id.0, product.0);
            let subscription = database
                .scalar(&format!(
                    "INSERT INTO webhook_subscriptions (user_id, url, events, secret)
                     VALUES ({user}, 'https://erp.example/', '{{product_updated}}', '0123456789abcdef') RETURNING id"
                ))
                .await;
            let delivery = database
                .scalar(&format!(
                    "INSERT INTO webhook_deliveries (subscription_id, event_id, event, entity, subject, is_public, event_at)
                     VALUES ({subscription}, 1, 'product_updated', 'product', {product}, true, now()) RETURNING id"
                ))
                .await;
            let key = |text: String| text.parse().expect("an ID");
            vec![
                ("WebhookSubscription", WebhookSubscriptionId(key(subscription)).to_global_id()),
                ("WebhookDelivery", WebhookDeliveryId(key(delivery)).to_global_id()),
            ]
        }
        .boxed()
    },
    restricted_types: &["WebhookSubscription", "WebhookDelivery"],
    audit_cases: &[
        AuditCase(
            "webhookSubscriptionUpdate",
            r#"{"id": "WEBHOOKSUBSCRIPTION", "secret": "fedcba9876543210", "events": ["ORDER_PLACED"]}"#,
            &[
                r#"UPDATED WEBHOOK_SUBSCRIPTION - {"events":["product_updated"],"secret":"(hidden)"} {"events":["order_placed"],"secret":"(hidden)"}"#,
            ],
        ),
        AuditCase(
            "webhookSubscriptionDelete",
            r#"{"id": "WEBHOOKSUBSCRIPTION"}"#,
            &[
                r#"DELETED WEBHOOK_SUBSCRIPTION - {"url":"https://erp.example/","events":["order_placed"],"secret":"(hidden)","status":"active","user_id":"ADMIN","version":1} null"#,
            ],
        ),
        AuditCase(
            "webhookSubscriptionCreate",
            r#"{"url": "https://erp.example/", "events": ["ORDER_PLACED"]}"#,
            &[
                r#"CREATED WEBHOOK_SUBSCRIPTION - null {"url":"https://erp.example/","events":["order_placed"],"secret":"(hidden)","status":"active","user_id":"ADMIN","version":1}"#,
            ],
        ),
    ],
    unaudited_mutations: &[
        ("webhookTest", "deliveries are listed themselves"),
        ("webhookRedeliver", "deliveries are listed themselves"),
    ],
    batch_cases: &[
        BatchCase("{ webhookSubscriptions(first: 50) { PAGE } }", 2),
        BatchCase("{ webhookSubscriptions(first: 50) { nodes { owner { id } website { id } } } }", 3),
        BatchCase("{ webhookDeliveries(first: 50) { PAGE nodes { subscription { id } } } }", 3),
        BatchCase("{ node(id: \"WEBHOOK_SUBSCRIPTION\") { id } }", 1),
        BatchCase("{ node(id: \"WEBHOOK_DELIVERY\") { id ... on WebhookDelivery { status } } }", 1),
    ],
    batch_ids: || {
        vec![
            ("WEBHOOK_SUBSCRIPTION", nth_id::<WebhookSubscriptionId>(1)),
            ("WEBHOOK_DELIVERY", nth_id::<WebhookDeliveryId>(1)),
        ]
    },
    seed_sql: |n| {
        format!(
            "INSERT INTO webhook_subscriptions (id, user_id, url, events, website_id, secret)
                 SELECT {BASE} + i, {BASE} + i, 'https://erp.example/', '{{product_updated}}',
                        (SELECT min(id) FROM websites), '0123456789abcdef' FROM generate_series(1, {n}) i;
             INSERT INTO webhook_deliveries (id, subscription_id, event_id, event, entity, subject, is_public, event_at)
                 SELECT {BASE} + i, {BASE} + i, i, 'product_updated', 'product', {BASE} + i, true, now()
                 FROM generate_series(1, {n}) i;"
        )
    },
};
