//! Email templates: the bundled ones, their overrides in a directory, and overrides for single websites.
//! Rule: every template is rendered when the server starts, so a broken one is found before it is used. Values are
//! escaped in HTML, and an undefined value is an error.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use minijinja::{Environment, UndefinedBehavior, value::Serde};
use serde_json::Value;

use super::model::{RenderedEmail, Shop, Template};
use crate::error::{Error, Result};

macro_rules! bundled {
    ($($name:literal)*) => { &[$(($name, include_str!($name))),*] };
}

const BUNDLED: &[(&str, &str)] = bundled![
    "base.html" "base.txt" "button.html"
    "verify_email.subject" "verify_email.txt" "verify_email.html"
    "password_reset.subject" "password_reset.txt" "password_reset.html"
    "password_changed.subject" "password_changed.txt" "password_changed.html"
    "email_change.subject" "email_change.txt" "email_change.html"
    "email_changed.subject" "email_changed.txt" "email_changed.html"
    "address_taken.subject" "address_taken.txt" "address_taken.html"
    "invitation.subject" "invitation.txt" "invitation.html"
    "session_ended.subject" "session_ended.txt" "session_ended.html"
    "order_placed.subject" "order_placed.txt" "order_placed.html"
    "order_shipped.subject" "order_shipped.txt" "order_shipped.html"
    "order_cancelled.subject" "order_cancelled.txt" "order_cancelled.html"
    "webhook_disabled.subject" "webhook_disabled.txt" "webhook_disabled.html"
];

/// Extensions of template files; other files in the directory are ignored.
const ENDINGS: [&str; 3] = ["subject", "txt", "html"];

/// Files that override bundled templates: template name and path.
type TemplateFiles = BTreeMap<String, PathBuf>;

/// All templates, ready to render.
pub struct Templates {
    general: Environment<'static>,
    by_website: HashMap<String, Environment<'static>>,
}

impl Templates {
    /// Loads the bundled templates and the overrides in the directory.
    /// # Errors
    /// Returns a user error with file and line if a template is broken or cannot be read.
    pub fn open(directory: Option<&Path>) -> Result<Self> {
        let mut by_website = HashMap::new();
        let mut files = TemplateFiles::new();
        if let Some(directory) = directory {
            let (general, websites) = list_directory(directory)?;
            for website in websites {
                // A website falls back to the overrides for all websites.
                let mut all = general.clone();
                all.extend(list_directory(&directory.join(&website))?.0);
                by_website.insert(website, load(&all)?);
            }
            files = general;
        }
        Ok(Self { general: load(&files)?, by_website })
    }

    /// Renders an email with the templates of the website with this code.
    /// # Errors
    /// Returns [`Error::Internal`] if a template uses an undefined value.
    pub fn render(
        &self,
        template: Template,
        website: Option<&str>,
        shop: &Shop,
        values: &Value,
    ) -> Result<RenderedEmail> {
        let own = website.and_then(|code| self.by_website.get(code));
        render(own.unwrap_or(&self.general), template, shop, values)
            .map_err(|error| Error::Internal(format!("rendering an email: {}", root_cause(&error))))
    }
}

/// Returns the template files and the subdirectories of a directory.
fn list_directory(directory: &Path) -> Result<(TemplateFiles, Vec<String>)> {
    let mut files = TemplateFiles::new();
    let mut directories = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        } else if path.is_dir() {
            directories.push(name.to_owned());
        } else if ENDINGS.contains(&ending) {
            files.insert(name.to_owned(), path);
        }
    }
    Ok((files, directories))
}

/// Loads the bundled templates and their overrides, and renders each of them once.
fn load(files: &TemplateFiles) -> Result<Environment<'static>> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in BUNDLED {
        templates.add_template(name, source).map_err(|error| template_error(files, &error))?;
    }
    for (name, path) in files {
        let source = fs::read_to_string(path).map_err(unreadable(path))?;
        templates.add_template_owned(name.clone(), source).map_err(|error| template_error(files, &error))?;
    }
    let shop = Shop::new("Souk", "https://shop.example");
    for template in Template::ALL {
        for values in [template.sample(), template.sparse_sample()] {
            render(&templates, template, &shop, &values).map_err(|error| template_error(files, &error))?;
        }
    }
    Ok(templates)
}

fn render(
    templates: &Environment<'_>,
    template: Template,
    shop: &Shop,
    values: &Value,
) -> Result<RenderedEmail, minijinja::Error> {
    let mut values = values.clone();
    values["shop"] = serde_json::json!(shop);
    let part = |ending: &str, values: &Value| {
        templates.get_template(&format!("{}.{ending}", template.name()))?.render(Serde(values))
    };
    // A subject must be a single line whatever the values contain, because a header ends at a line break.
    let one_line = |text: String| text.replace(char::is_control, " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let subject = one_line(part("subject", &values)?);
    values["subject"] = subject.clone().into();
    Ok(RenderedEmail { subject, text: part("txt", &values)? + "\n", html: part("html", &values)? + "\n" })
}

/// Returns the original error, which may be in an extended or included template.
fn root_cause(error: &minijinja::Error) -> &minijinja::Error {
    let cause = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    cause.map_or(error, root_cause)
}

fn template_error(files: &TemplateFiles, error: &minijinja::Error) -> Error {
    let error = root_cause(error);
    let name = error.name().unwrap_or_default();
    let location = files.get(name).map_or_else(|| name.to_owned(), |path| path.display().to_string());
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    let line = error.line().unwrap_or_default();
    Error::bad_input("SOUK_MAIL_TEMPLATES", format!("{location}, line {line}: {}{detail}", error.kind()))
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::bad_input("SOUK_MAIL_TEMPLATES", format!("{}: {error}", path.display()))
}
