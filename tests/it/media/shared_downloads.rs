//! Images by URL that several products have: one download for all, failures for staff, and the stop of the server.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::{Value, json};
use souk::{
    auth::Permission,
    cli::job_handlers::{self, JobContext},
    config::AnalyticsSettings,
    ids::{BrandId, ProductId},
    media::actions::fetch::fetch_due,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    jobs::queue::{spawn_worker, with_timeout},
    support::{Actor, ProductSpec, TestApp, mailbox::no_payloads, multipart_form::png},
};

/// An image server that counts its requests and reports each of them.
struct ImageServer {
    url: String,
    requests: Arc<AtomicUsize>,
    heard: mpsc::UnboundedReceiver<()>,
}

impl ImageServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (requests, (send, heard)) = (Arc::<AtomicUsize>::default(), mpsc::unbounded_channel());
        let counted = Arc::clone(&requests);
        let count = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            // Most tests do not listen.
            let _ = send.send(());
        };
        let (good, none, busy, endless) = (count.clone(), count.clone(), count.clone(), count);
        let router = Router::new()
            .route(
                "/good.png",
                get(async move || {
                    good();
                    png(9, 9, [1; 3])
                }),
            )
            .route(
                "/none.png",
                get(async move || {
                    none();
                    StatusCode::NOT_FOUND
                }),
            )
            .route(
                "/busy.png",
                get(async move || {
                    busy();
                    StatusCode::SERVICE_UNAVAILABLE
                }),
            )
            .route(
                "/endless.png",
                get(async move || {
                    endless();
                    std::future::pending::<()>().await;
                    StatusCode::OK.into_response()
                }),
            );
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, requests, heard }
    }

    fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

async fn product(app: &TestApp, website: souk::ids::WebsiteId, sku: &str) -> ProductId {
    let spec = ProductSpec { sku: Some(sku.into()), ..ProductSpec::default() };
    app.product(website, spec).await.id
}

/// Adds images with these URLs to a product.
async fn add_images(app: &TestApp, product: ProductId, urls: &[String]) {
    for (position, url) in (1..).zip(urls) {
        let insert = format!(
            "INSERT INTO images (product_id, source_url, position) VALUES ({}, '{url}', {position})",
            product.0
        );
        app.database.sql(&insert).await;
    }
}

async fn fetch(app: &TestApp) -> usize {
    fetch_due(&app.database.db, &app.services.image_processor).await.expect("an attempt")
}

/// Returns the images that an actor lists with a filter: the failure and the name of the owner of each.
async fn list(actor: &Actor<'_>, filter: Value) -> Vec<Value> {
    let document = "query ($where: ImageWhere) { images(first: 100, where: $where) {
        totalCount { value } nodes { failure sourceUrl product { sku } brand { name } category { name } } } }";
    let response = actor.run_with(document, json!({ "where": filter })).await;
    let nodes = response.at("images.nodes").as_array().expect("a list").clone();
    assert_eq!(response.at("images.totalCount.value"), &json!(nodes.len()));
    nodes
}

const STATES: &str =
    "SELECT string_agg(DISTINCT concat_ws(' ', attempts, media_id IS NOT NULL, failure), ', ') FROM images";

#[tokio::test]
async fn url_of_many_products_is_fetched_once() {
    let (app, server) = (TestApp::new().await, ImageServer::start().await);
    let website = app.website("sailor").await.id;
    let urls = ["good.png", "none.png"].map(|path| format!("{}/{path}", server.url));
    let products = format!(
        "INSERT INTO products (source_website_id, name, slug, sku, price)
            SELECT {}, 'Rope', 'rope-' || i, 'R-' || i, 1 FROM generate_series(1, 600) i",
        website.0
    );
    app.database.sql(&products).await;
    for (position, url) in (1..).zip(&urls) {
        let sql = format!(
            "INSERT INTO images (product_id, source_url, position) SELECT id, '{url}', {position} FROM products"
        );
        app.database.sql(&sql).await;
    }
    assert_eq!((fetch(&app).await, server.requests()), (2, 2));
    let not_found = "3 f the server responded with status 404";
    assert_eq!(app.database.scalar(STATES).await, format!("1 t, {not_found}"));
    assert_eq!(app.database.scalar("SELECT count(*) FROM images WHERE media_id IS NOT NULL").await, "600");

    // An image that is added later uses what is known of its URL.
    add_images(&app, product(&app, website, "late").await, &urls).await;
    assert_eq!((fetch(&app).await, server.requests()), (2, 0));
    assert_eq!(app.database.scalar(STATES).await, format!("1 t, {not_found}"));

    // An hour later the image may be another one.
    app.database.sql("UPDATE images SET fetched_at = fetched_at - interval '61 minutes'").await;
    add_images(&app, product(&app, website, "later").await, &urls).await;
    assert_eq!((fetch(&app).await, server.requests()), (2, 2));
}

#[tokio::test]
async fn images_of_a_url_are_retried_together() {
    let (app, server) = (TestApp::new().await, ImageServer::start().await);
    let website = app.website("sailor").await.id;
    let url = [format!("{}/busy.png", server.url)];
    add_images(&app, product(&app, website, "one").await, &url).await;
    assert_eq!((fetch(&app).await, server.requests()), (1, 1));
    add_images(&app, product(&app, website, "two").await, &url).await;
    assert_eq!((fetch(&app).await, server.requests()), (1, 0), "the second image waits with the first");
    let waiting = "1 f the server responded with status 503";
    assert_eq!(app.database.scalar(STATES).await, waiting);
    assert_eq!(app.database.scalar("SELECT count(DISTINCT try_at) FROM images WHERE try_at > now()").await, "1");
    app.database.sql("UPDATE images SET try_at = now()").await;
    assert_eq!((fetch(&app).await, server.requests()), (1, 1));
    assert_eq!(app.database.scalar(STATES).await, waiting.replacen('1', "2", 1));
}

#[tokio::test]
async fn product_gets_a_shared_image_once() {
    let (app, server) = (TestApp::new().await, ImageServer::start().await);
    let website = app.website("sailor").await.id;
    let (one, two) = (product(&app, website, "one").await, product(&app, website, "two").await);
    // Two URLs of the same image: the product keeps the first.
    let urls = ["good.png", "good.png?size=large"].map(|path| format!("{}/{path}", server.url));
    add_images(&app, one, &urls).await;
    assert_eq!(fetch(&app).await, 2);
    assert_eq!(app.database.scalar("SELECT count(media_id) FROM images").await, "1");
    // The duplicate says nothing about the URL: another product gets the image.
    let duplicate = app.database.scalar("SELECT source_url FROM images WHERE media_id IS NULL").await;
    add_images(&app, two, &[duplicate]).await;
    assert_eq!(fetch(&app).await, 1);
    let has = format!("SELECT count(media_id) FROM images WHERE product_id = {}", two.0);
    assert_eq!(app.database.scalar(&has).await, "1");
}

#[tokio::test]
async fn failed_images_are_listed_for_those_who_may_change_them() {
    let (app, server) = (TestApp::new().await, ImageServer::start().await);
    let (here, there) = (app.website("sailor").await.id, app.website("diver").await.id);
    let urls = ["good.png", "none.png"].map(|path| format!("{}/{path}", server.url));
    for (website, sku) in [(here, "rope"), (there, "mask")] {
        add_images(&app, product(&app, website, sku).await, &urls).await;
    }
    let seller = app.seller().await;
    let mine = ProductSpec { sku: Some("mine".into()), seller: Some(seller.id), ..ProductSpec::default() };
    add_images(&app, app.product(here, mine).await.id, &urls).await;
    let brand: BrandId = app.brand("knot").await.id;
    let logo = format!("INSERT INTO images (brand_id, source_url, position) VALUES ({}, '{}', 1)", brand.0, urls[1]);
    app.database.sql(&logo).await;
    fetch(&app).await;

    let (manager, catalog) = (app.manager().await, app.user_with(&[Permission::ManageCatalogue], &[]).await);
    let local = app.user_with(&[Permission::ManageProducts], &[here]).await;
    let failed = json!({ "failed": true });
    let reason = "the server responded with status 404";
    assert!(list(&manager, failed.clone()).await.iter().all(|image| image["failure"] == reason));
    let owners = async |actor: &Actor<'_>, filter: &Value| {
        let owner = |image: &Value| {
            let sku = image["product"]["sku"].as_str();
            sku.or(image["brand"]["name"].as_str()).expect("an owner").to_owned()
        };
        let mut owners: Vec<String> = list(actor, filter.clone()).await.iter().map(owner).collect();
        owners.sort();
        owners.join(" ")
    };
    let brand = app.database.scalar("SELECT name FROM brands").await;
    let mut all = [brand.as_str(), "mask", "mine", "rope"];
    all.sort_unstable();
    assert_eq!(owners(&manager, &failed).await, all.join(" "));
    assert_eq!(owners(&manager, &json!({ "failed": false })).await, "mask mine rope");
    assert_eq!(owners(&local, &failed).await, "mine rope");
    assert_eq!(owners(&seller, &failed).await, "mine");
    assert_eq!(owners(&catalog, &json!({})).await, brand);
    assert_eq!(app.customer().await.run("{ images { nodes { id } } }").await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn import_reports_images_that_could_not_be_downloaded() {
    let (app, server) = (TestApp::new().await, ImageServer::start().await);
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let transfer = format!(
        "INSERT INTO transfers (direction, resource, format, website_id, status)
            VALUES ('import', 'products', 'souk-csv', {}, 'done') RETURNING id",
        website.0
    );
    let transfer = app.database.scalar(&transfer).await;
    for (sku, paths) in [("a", vec!["none.png", "good.png"]), ("b", vec!["none.png"]), ("c", vec!["busy.png"])] {
        let urls: Vec<_> = paths.iter().map(|path| format!("{}/{path}", server.url)).collect();
        let product = product(&app, website, sku).await;
        add_images(&app, product, &urls).await;
        let seen = format!(
            "INSERT INTO sources (resource_type, resource_id, website_id, last_transfer_id)
                VALUES ('Product', {}, {}, {transfer})
             ON CONFLICT ON CONSTRAINT sources_pkey DO UPDATE SET last_transfer_id = {transfer}",
            product.0, website.0
        );
        app.database.sql(&seen).await;
    }
    let report = async || {
        let document =
            "{ transfers { nodes { imagesPending imageFailures { reason count examples { product { sku } } } } } }";
        manager.run(document).await.at("transfers.nodes.0").clone()
    };
    assert_eq!(report().await, json!({ "imagesPending": 4, "imageFailures": [] }));
    fetch(&app).await;
    let example = |sku: &str| json!({ "product": { "sku": sku } });
    let expected = json!({ "imagesPending": 0, "imageFailures": [
        { "reason": "the server responded with status 404", "count": 2, "examples": [example("a"), example("b")] },
        { "reason": "the server responded with status 503", "count": 1, "examples": [example("c")] },
    ] });
    assert_eq!(report().await, expected);
}

#[tokio::test]
async fn server_that_stops_interrupts_downloads_and_leaves_them_due() {
    let (app, mut server) = (TestApp::new().await, ImageServer::start().await);
    let website = app.website("sailor").await.id;
    add_images(&app, product(&app, website, "one").await, &[format!("{}/endless.png", server.url)]).await;
    let (stop, worker) = spawn_worker(job_handlers::build_worker(JobContext {
        db: app.database.db.clone(),
        mailer: None,
        providers: Arc::clone(&app.services.providers),
        image_processor: app.services.image_processor.clone(),
        analytics: AnalyticsSettings::default(),
        payloads: no_payloads(),
    }));
    with_timeout(server.heard.recv()).await.expect("a request");
    assert_eq!(app.database.scalar(STATES).await, "1 f");
    stop.send(()).expect("a worker");
    with_timeout(worker).await.expect("a worker that ends");
    // A download that ends by its timeout would be an attempt that failed.
    assert_eq!(app.database.scalar(STATES).await, "0 f");
    assert_eq!(app.database.scalar("SELECT try_at <= now() FROM images").await, "t");
    let job = "SELECT concat_ws(' ', attempts, locked_until, last_error) FROM jobs WHERE kind = 'fetch_images'";
    assert_eq!(app.database.scalar(job).await, "0");
}
