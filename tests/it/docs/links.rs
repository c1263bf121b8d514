//! Links between the pages.

use std::{collections::HashMap, path::PathBuf};

use super::pages::{self, Page};

/// A path without its `.` and `..`.
fn normalize(path: &std::path::Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// What is wrong with a link of a page.
fn check(page: &Page, anchors: &HashMap<PathBuf, Vec<String>>, link: &str) -> Option<String> {
    if let Some((scheme, _)) = link.split_once("://") {
        let is_fine = scheme == "https" || link.starts_with("http://127.0.0.1:8000");
        return (!is_fine).then(|| format!("{link}: links to other sites use https"));
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.path.clone(),
        path => normalize(&page.path.parent().expect("a parent").join(path)),
    };
    if !pages::root().join(&target).exists() {
        return Some(format!("{link}: there is no {}", target.display()));
    }
    let is_known = anchor.is_empty() || anchors.get(&target).is_some_and(|known| known.iter().any(|one| one == anchor));
    (!is_known).then(|| format!("{link}: {} has no heading #{anchor}", target.display()))
}

#[test]
fn every_link_leads_to_a_page_and_its_heading() {
    let pages = pages::all();
    let anchors = pages.iter().map(|page| (page.path.clone(), page.anchors())).collect();
    let mut broken = Vec::new();
    for page in &pages {
        for (line, link) in page.links() {
            let problem = check(page, &anchors, &link);
            broken.extend(problem.map(|problem| format!("{}:{line}: {problem}", page.path.display())));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_summary_names_every_page_of_the_manual() {
    let pages = pages::all();
    let summary = pages.iter().find(|page| page.path.ends_with("docs/SUMMARY.md")).expect("docs/SUMMARY.md");
    let named: Vec<PathBuf> =
        summary.links().into_iter().map(|(_, link)| normalize(&PathBuf::from("docs").join(link))).collect();
    for page in pages.iter().filter(|page| page.path.starts_with("docs") && page.path != summary.path) {
        assert!(named.contains(&page.path), "docs/SUMMARY.md does not name {}", page.path.display());
    }
}
