//! The GraphQL multipart request protocol (jaydenseric's, version 2): `operations`, then `map`, then the files.
//! Rule: a page of another origin can send a form without asking first, so a header is wanted that it cannot send. Files go to
//! disk as they come and are counted as they come; each is named by the map, and each place of the map is null in the
//! variables.

use std::collections::HashSet;

use async_graphql::{Request, Value, Variables};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
};
use multer::{Field, Multipart};

use super::{header_names::PREFLIGHT_HEADERS, params::parse_request, rejection::Rejection};
use crate::{
    error::ErrorCode,
    graphql::schema::media::upload::{RequestFiles, file_variable},
    storage::received::{IncomingFile, ReceivedFile},
};

/// Most files of a request.
const MAX_FILES: usize = 10;
/// Most bytes of all files of a request, as a multiple of the most of one.
const TOTAL_SIZE_FACTOR: u64 = 5;
/// Most places that a map names.
const MAX_PATHS: usize = 100;

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub struct SizeLimits {
    /// Longest `operations` or `map`, in bytes.
    pub text: usize,
    /// Longest file, in bytes.
    pub file: u64,
}

/// Rejects what a page of another origin may send without its visitor's knowledge.
/// # Errors
/// 400 where none of [`PREFLIGHT_HEADERS`] is there.
pub fn check_preflight(headers: &HeaderMap) -> Result<(), Rejection> {
    let is_present =
        |name: &HeaderName| headers.get(name).is_some_and(|value| !value.as_bytes().trim_ascii().is_empty());
    if PREFLIGHT_HEADERS.iter().any(is_present) {
        return Ok(());
    }
    Err(Rejection::bad_request("a multipart request must carry the header GraphQL-Require-Preflight (any value)"))
}

/// Reads a form: the request, whose variables name the files, and the files.
/// # Errors
/// 413 for what is too long or too much; 400 for what breaks the protocol.
pub async fn from_form(
    headers: &HeaderMap,
    body: Body,
    limits: SizeLimits,
) -> Result<(Request, RequestFiles), Rejection> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary =
        multer::parse_boundary(content_type).map_err(|_| Rejection::bad_request("the form's boundary is missing"))?;
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let operations = read_text(form.next_field().await, "operations", limits.text).await?;
    let mut request = parse_request(&operations)?;
    let map = read_text(form.next_field().await, "map", limits.text).await?;
    let map = parse_map(&map)?;
    for (index, (name, paths)) in map.iter().enumerate() {
        for path in paths {
            set_variable(&mut request.variables, name, path, file_variable(index))?;
        }
    }
    let files = read_files(&mut form, &map, limits.file).await?;
    Ok((request, RequestFiles(files)))
}

type NextField<'a> = multer::Result<Option<Field<'a>>>;

/// The text of the field that must come next.
async fn read_text(field: NextField<'_>, name: &str, max_bytes: usize) -> Result<Vec<u8>, Rejection> {
    let field = field.map_err(malformed_form)?.filter(|field| field.name() == Some(name));
    let mut field = field.ok_or_else(|| {
        Rejection::bad_request(format!(
            "the field `{name}` is missing: the form holds `operations`, `map` and the files, in this order"
        ))
    })?;
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(malformed_form)? {
        if text.len() + chunk.len() > max_bytes {
            return Err(Rejection::too_large(format!("`{name}` is larger than {max_bytes} bytes")));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// The map: the names of the files in their order, and the places of each in the operations.
fn parse_map(text: &[u8]) -> Result<Vec<(String, Vec<String>)>, Rejection> {
    let invalid_map =
        || Rejection::bad_request("`map` is an object of lists of paths, such as {\"0\": [\"variables.input.file\"]}");
    let map: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).map_err(|_| invalid_map())?;
    if map.len() > MAX_FILES {
        return Err(Rejection::too_large(format!(
            "a request has at most {MAX_FILES} files, and `map` names {}",
            map.len()
        )));
    }
    let paths = map.into_iter().map(|(name, paths)| {
        let serde_json::Value::Array(paths) = paths else { return Err(invalid_map()) };
        let paths = paths.into_iter().map(|path| path.as_str().map(ToOwned::to_owned).ok_or_else(invalid_map));
        let paths: Vec<String> = paths.collect::<Result<_, _>>()?;
        if paths.is_empty() {
            return Err(Rejection::bad_request(format!("`map` says nowhere for the file `{name}`")));
        }
        Ok((name, paths))
    });
    let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
    let all: Vec<&String> = paths.iter().flat_map(|(_, paths)| paths).collect();
    if all.len() > MAX_PATHS {
        return Err(Rejection::too_large(format!("`map` names more than {MAX_PATHS} places")));
    }
    let mut seen = HashSet::new();
    match all.into_iter().find(|path| !seen.insert(*path)) {
        Some(path) => Err(Rejection::bad_request(format!("`map` names the place `{path}` twice"))),
        None => Ok(paths),
    }
}

/// Puts a value in the place of a null in the variables.
fn set_variable(variables: &mut Variables, name: &str, path: &str, value: Value) -> Result<(), Rejection> {
    let invalid_path = || {
        Rejection::bad_request(format!(
            "`map` says `{path}` for the file `{name}`: there must be a null in that place of `variables`"
        ))
    };
    let mut steps = path.split('.');
    let (Some("variables"), Some(first)) = (steps.next(), steps.next()) else { return Err(invalid_path()) };
    let mut target = variables.get_mut(first).ok_or_else(invalid_path)?;
    for step in steps {
        target = match target {
            Value::Object(fields) => fields.get_mut(step),
            Value::List(items) => step.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        }
        .ok_or_else(invalid_path)?;
    }
    if *target != Value::Null {
        return Err(invalid_path());
    }
    *target = value;
    Ok(())
}

/// The files, in the order of the map; they may come in any.
async fn read_files(
    form: &mut Multipart<'_>,
    map: &[(String, Vec<String>)],
    max_bytes: u64,
) -> Result<Vec<ReceivedFile>, Rejection> {
    let mut files: Vec<Option<ReceivedFile>> = map.iter().map(|_| None).collect();
    let mut total = 0;
    while let Some(field) = form.next_field().await.map_err(malformed_form)? {
        let name = field.name().unwrap_or_default().to_owned();
        let index = map.iter().position(|(named, _)| *named == name);
        let slot = index.and_then(|index| files.get_mut(index));
        let slot =
            slot.ok_or_else(|| Rejection::bad_request(format!("the file `{name:.100}` is not named by `map`")))?;
        if slot.is_some() {
            return Err(Rejection::bad_request(format!("the file `{name}` is sent twice")));
        }
        let file = read_file(field, &name, max_bytes, &mut total).await?;
        *slot = Some(file);
    }
    let missing = |(file, (name, _)): (Option<ReceivedFile>, &(String, Vec<String>))| {
        file.ok_or_else(|| Rejection::bad_request(format!("`map` names the file `{name}`, which was not sent")))
    };
    files.into_iter().zip(map).map(missing).collect()
}

async fn read_file(
    mut field: Field<'_>,
    name: &str,
    max_bytes: u64,
    total: &mut u64,
) -> Result<ReceivedFile, Rejection> {
    let mut file =
        IncomingFile::create(field.file_name().unwrap_or_default()).map_err(|error| storage_unavailable(&error))?;
    while let Some(chunk) = field.chunk().await.map_err(malformed_form)? {
        *total += chunk.len() as u64;
        if file.add(&chunk).await.map_err(|error| storage_unavailable(&error))? > max_bytes {
            return Err(Rejection::too_large(format!("the file `{name}` is larger than {max_bytes} bytes")));
        }
        if *total > max_bytes * TOTAL_SIZE_FACTOR {
            return Err(Rejection::too_large(format!(
                "the files are larger than {} bytes together",
                max_bytes * TOTAL_SIZE_FACTOR
            )));
        }
    }
    file.finish().await.map_err(|error| storage_unavailable(&error))
}

fn malformed_form(error: multer::Error) -> Rejection {
    Rejection::bad_request(format!("the form is malformed or incomplete: {error}"))
}

fn storage_unavailable(error: &std::io::Error) -> Rejection {
    tracing::error!(%error, "a file of a request cannot be kept");
    let message = "the server cannot take files now; try again in a moment";
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
}
