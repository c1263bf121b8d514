//! A database server that is killed and restarted under a server with a cache.

use std::path::PathBuf;

use souk::{
    db::{
        Db, DbSettings,
        embedded::{Embedded, EmbeddedOptions},
        migrations,
    },
    ids::RowId,
};

use crate::{
    cache::{is_hit, run, warm},
    support::{ProductSpec, TestApp, TestDb},
};

/// A directory in which PostgreSQL may run; removed at the end.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_loaded_again_after_a_restart_of_the_database() {
    let directory = Directory(std::env::temp_dir().join(format!("souk-cache-{}", uuid::Uuid::new_v4().simple())));
    let options = EmbeddedOptions {
        data_dir: directory.0.clone(),
        programs: std::env::var_os("SOUK_POSTGRES_BIN").map(PathBuf::from),
        search_path: std::env::var_os("PATH"),
        throwaway: true,
    };
    let mut server = Embedded::start(options.clone()).await.expect("a server");
    let url = server.url().to_owned();
    migrations::migrate(&url).await.expect("migrations");
    let mut database = TestDb::open(&url).await;
    let settings = DbSettings { read_connections: 2, pool_size: 4, ..DbSettings::default() };
    database.db = Db::connect(&url, &settings).await.expect("a connection");
    let app = TestApp::builder().database(database).cached().build().await;
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec::default()).await;
    let read = format!("{{ product(id: \"{}\") {{ name }} }}", product.id.to_global_id());
    warm(&app, &read).await;
    for round in 0..3 {
        let name = format!("Name {round}");
        app.database.sql(&format!("UPDATE products SET name = '{name}'")).await;
        server.stop().await;
        assert_eq!(run(&app.anonymous(), &read).await.code(), "UNAVAILABLE");
        server = Embedded::start(options.clone()).await.expect("a server");
        while app.anonymous().run(&read).await.json["errors"].is_array() {
            tokio::task::yield_now().await;
        }
        assert_eq!(app.anonymous().run(&read).await.at("product.name"), name.as_str());
        while !is_hit(&app, &read).await {}
    }
}
