//! A rejects file, once corrected and imported, leaves exactly what the corrected original would have left: files with
//! random faults in the four formats are imported both ways.

use csv::{ByteRecord, ReaderBuilder, StringRecord, WriterBuilder};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use souk::transfers::model::{Format, Resource};

use crate::transfers::{
    faulty_files::{file, products},
    imports::Shop,
};

/// Number of files per format.
const CASES: u32 = 8;
/// Everything that an import of products writes, without keys, times and derived slugs.
const CONTENT: &str = "SELECT string_agg(concat_ws('|', p.sku, s.external_id, p.name, p.variant, p.price, p.stock, p.barcode, p.is_active,
        b.name, c.name, g.slug, g.name, g.varies_by, p.option_values, p.tags, p.weight, p.weight_unit, p.seo_title,
        (SELECT string_agg(concat_ws(' ', i.position, i.source_url, i.alt), ', ' ORDER BY i.position, i.id)
         FROM images i WHERE i.product_id = p.id)), E'\\n' ORDER BY p.sku)
    FROM products p LEFT JOIN sources s ON s.resource_type = 'Product' AND s.resource_id = p.id
    LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id
    LEFT JOIN product_groups g ON g.id = p.group_id";

fn text<'r>(records: impl IntoIterator<Item = &'r StringRecord>) -> String {
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    records.into_iter().for_each(|record| writer.write_record(record).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Replaces each line of a rejects file with the line of the corrected file; each is in it once.
fn corrected(rejects: &str, right: &[StringRecord]) -> String {
    let mut rows = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(rejects.as_bytes());
    let mut seen = Vec::new();
    let records: Vec<StringRecord> = rows
        .byte_records()
        .map(Result::unwrap)
        .enumerate()
        .map(|(at, row): (usize, ByteRecord)| {
            let row = StringRecord::from_byte_record(row).unwrap();
            let [line, reason] = [2, 1].map(|from_end| &row[row.len() - from_end]);
            if at == 0 {
                assert_eq!((line, reason), ("line", "reason"));
                return row;
            }
            let line: usize = line.parse().unwrap();
            assert!(!seen.contains(&line), "line {line} is twice in {rejects}");
            seen.push(line);
            let mut record = right[line - 1].clone();
            record.push_field(&line.to_string());
            record.push_field(reason);
            record
        })
        .collect();
    text(&records)
}

async fn check(format: Format) {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    for _ in 0..CASES {
        let products = products().new_tree(&mut runner).unwrap().current();
        let (wrong, right) = (file(format, &products, true).records(), file(format, &products, false).records());
        let (whole, parts) = (Shop::new().await, Shop::new().await);
        let report = whole.import(Resource::Products, format, &text(&right)).await;
        assert_eq!(report.counts.rejected, 0, "{report:?} {products:?}");
        let first = parts.import(Resource::Products, format, &text(&wrong)).await;
        if first.counts.rejected > 0 {
            let rejects = corrected(&parts.rejects(), &right);
            let second = parts.import(Resource::Products, format, &rejects).await;
            assert_eq!(second.counts.rejected, 0, "{:?}\n{}\n{rejects}", second.errors, text(&wrong));
        }
        let (expected, content) = (whole.database.scalar(CONTENT).await, parts.database.scalar(CONTENT).await);
        assert_eq!(content, expected, "{}\n{first:?}", text(&wrong));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_of_shopify_leave_the_same() {
    check(Format::Shopify).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_of_woocommerce_leave_the_same() {
    check(Format::WooCommerce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_of_magento_leave_the_same() {
    check(Format::Magento).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corrected_rejects_of_souk_csv_leave_the_same() {
    check(Format::SoukCsv).await;
}
