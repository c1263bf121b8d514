//! The Markdown pages of the project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use souk::text::HeadingAnchors;

/// A Markdown page.
pub struct Page {
    /// Its path below the project's directory.
    pub path: PathBuf,
    /// Its source.
    pub text: String,
}

/// A fenced code block.
pub struct Block {
    /// Line of the opening fence, from 1.
    pub line: usize,
    /// The language: the first word of the info string.
    pub language: String,
    /// The rest of the info string.
    pub attributes: String,
    /// The code.
    pub code: String,
}

impl Block {
    /// The value of `name=value` or `name="a value"` in the info string.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.attributes.split_once(&format!("{name}="))?.1;
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split(' ').next(),
        }
    }
}

/// The directory of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages: those of the top level and those below docs/, in the order of their paths.
pub fn all() -> Vec<Page> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root()).expect("the project's directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    collect(&root().join("docs"), &mut paths);
    paths.sort();
    let page = |path: PathBuf| Page {
        text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        path: path.strip_prefix(root()).expect("a path of the project").to_owned(),
    };
    paths.into_iter().map(page).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}

impl Page {
    fn events(&self) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).into_offset_iter()
    }

    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// The fenced code blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let (language, attributes) = info.split_once(' ').unwrap_or((&info, ""));
                    let (language, attributes) = (language.to_owned(), attributes.to_owned());
                    blocks.push(Block { line: self.line(range.start), language, attributes, code: String::new() });
                    is_inside = true;
                }
                Event::Text(text) if is_inside => blocks.last_mut().expect("a block").code.push_str(&text),
                Event::End(TagEnd::CodeBlock) => is_inside = false,
                _ => {}
            }
        }
        blocks
    }

    /// The targets of links and images, with their lines.
    pub fn links(&self) -> Vec<(usize, String)> {
        let target = |(event, range): (Event<'_>, std::ops::Range<usize>)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some((self.line(range.start), dest_url.to_string()))
            }
            _ => None,
        };
        self.events().filter_map(target).collect()
    }

    /// The anchors of the headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let (mut anchors, mut found) = (HeadingAnchors::default(), Vec::new());
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    found.push(anchors.next(&heading.take().unwrap_or_default()));
                }
                _ => {}
            }
        }
        found
    }
}
