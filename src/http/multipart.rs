//! The GraphQL multipart request specification (jaydenseric, version 2): `operations`, then `map`, then the files.
//! Rule: a cross-origin page can send a form without a preflight request, so a header is required that it cannot send.
//! Files are streamed to disk and their size is checked while they arrive. `map` must name each file, and each path in
//! it must point to a null in the variables.

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
    ids::UserId,
    storage::{
        received::{IncomingFile, ReceivedFile},
        space::UploadSpace,
    },
};

/// Maximum number of files per request.
const MAX_FILES: usize = 10;
/// Maximum total size of the files of a request, as a multiple of the maximum size of one file.
const TOTAL_SIZE_FACTOR: u64 = 5;
/// Maximum number of paths in a map.
const MAX_PATHS: usize = 100;

/// Limits of a form.
#[derive(Debug)]
pub struct FormLimits<'a> {
    /// Maximum length of `operations` and of `map`, in bytes.
    pub text: usize,
    /// Maximum size of a file, in bytes.
    pub file: u64,
    /// The space for the files of all forms.
    pub space: &'a UploadSpace,
    /// The user whose form it is.
    pub user: UserId,
}

/// Rejects requests that a cross-origin page could send without the visitor's knowledge (CSRF).
/// # Errors
/// 400 if none of [`PREFLIGHT_HEADERS`] is present.
pub fn check_preflight(headers: &HeaderMap) -> Result<(), Rejection> {
    let is_present =
        |name: &HeaderName| headers.get(name).is_some_and(|value| !value.as_bytes().trim_ascii().is_empty());
    if PREFLIGHT_HEADERS.iter().any(is_present) {
        return Ok(());
    }
    Err(Rejection::bad_request("a multipart request must carry the header GraphQL-Require-Preflight (any value)"))
}

/// Reads a form: the request, whose variables refer to the files, and the files.
/// # Errors
/// 413 if a size or count limit is exceeded; 400 if the form violates the specification.
pub async fn from_form(
    headers: &HeaderMap,
    body: Body,
    limits: &FormLimits<'_>,
) -> Result<(Request, RequestFiles), Rejection> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| Rejection::bad_request("the multipart boundary is missing in Content-Type"))?;
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
    let files = read_files(&mut form, &map, limits).await?;
    Ok((request, RequestFiles(files)))
}

type NextField<'a> = multer::Result<Option<Field<'a>>>;

/// Reads the text of the next field, which must have this name.
async fn read_text(field: NextField<'_>, name: &str, max_bytes: usize) -> Result<Vec<u8>, Rejection> {
    let field = field.map_err(malformed_form)?.filter(|field| field.name() == Some(name));
    let mut field = field.ok_or_else(|| {
        Rejection::bad_request(format!(
            "the field `{name}` is missing; the form must contain `operations`, `map` and the files, in this order"
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

/// Parses the map: the file names in order, each with its paths in the operations.
fn parse_map(text: &[u8]) -> Result<Vec<(String, Vec<String>)>, Rejection> {
    let invalid_map = || {
        Rejection::bad_request("`map` must be an object of lists of paths, such as {\"0\": [\"variables.input.file\"]}")
    };
    let map: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).map_err(|_| invalid_map())?;
    if map.len() > MAX_FILES {
        return Err(Rejection::too_large(format!(
            "a request can have at most {MAX_FILES} files; `map` names {}",
            map.len()
        )));
    }
    let paths = map.into_iter().map(|(name, paths)| {
        let serde_json::Value::Array(paths) = paths else { return Err(invalid_map()) };
        let paths = paths.into_iter().map(|path| path.as_str().map(ToOwned::to_owned).ok_or_else(invalid_map));
        let paths: Vec<String> = paths.collect::<Result<_, _>>()?;
        if paths.is_empty() {
            return Err(Rejection::bad_request(format!("`map` has no path for the file `{name}`")));
        }
        Ok((name, paths))
    });
    let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
    let all: Vec<&String> = paths.iter().flat_map(|(_, paths)| paths).collect();
    if all.len() > MAX_PATHS {
        return Err(Rejection::too_large(format!("`map` has more than {MAX_PATHS} paths")));
    }
    let mut seen = HashSet::new();
    match all.into_iter().find(|path| !seen.insert(*path)) {
        Some(path) => Err(Rejection::bad_request(format!("`map` contains the path `{path}` twice"))),
        None => Ok(paths),
    }
}

/// Replaces the null at this path of the variables with a value.
fn set_variable(variables: &mut Variables, name: &str, path: &str, value: Value) -> Result<(), Rejection> {
    let invalid_path = || {
        Rejection::bad_request(format!("the path `{path}` of the file `{name}` must point to a null in `variables`"))
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

/// Reads the files, which may arrive in any order, and returns them in the order of the map.
async fn read_files(
    form: &mut Multipart<'_>,
    map: &[(String, Vec<String>)],
    limits: &FormLimits<'_>,
) -> Result<Vec<ReceivedFile>, Rejection> {
    let mut files: Vec<Option<ReceivedFile>> = map.iter().map(|_| None).collect();
    let mut total = 0;
    while let Some(field) = form.next_field().await.map_err(malformed_form)? {
        let name = field.name().unwrap_or_default().to_owned();
        let index = map.iter().position(|(named, _)| *named == name);
        let slot = index.and_then(|index| files.get_mut(index));
        let slot = slot.ok_or_else(|| Rejection::bad_request(format!("the file `{name:.100}` is not in `map`")))?;
        if slot.is_some() {
            return Err(Rejection::bad_request(format!("the file `{name}` was sent twice")));
        }
        let file = read_file(field, &name, limits, &mut total).await?;
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
    limits: &FormLimits<'_>,
    total: &mut u64,
) -> Result<ReceivedFile, Rejection> {
    let max_bytes = limits.file;
    let reservation = limits.space.reservation(limits.user.0);
    let mut file = IncomingFile::create(field.file_name().unwrap_or_default(), reservation)
        .map_err(|error| storage_unavailable(&error))?;
    while let Some(chunk) = field.chunk().await.map_err(malformed_form)? {
        *total += chunk.len() as u64;
        if file.add(&chunk).await.map_err(|error| Rejection::from_storage_error(&error))? > max_bytes {
            return Err(Rejection::too_large(format!("the file `{name}` is larger than {max_bytes} bytes")));
        }
        if *total > max_bytes * TOTAL_SIZE_FACTOR {
            return Err(Rejection::too_large(format!(
                "the files are larger than {} bytes in total",
                max_bytes * TOTAL_SIZE_FACTOR
            )));
        }
    }
    file.finish().await.map_err(|error| storage_unavailable(&error))
}

fn malformed_form(error: multer::Error) -> Rejection {
    let malformed = Rejection::bad_request(format!("the form is malformed or incomplete: {error}"));
    Rejection::from_body_error(&error, malformed)
}

fn storage_unavailable(error: &std::io::Error) -> Rejection {
    tracing::error!(%error, "uploaded file could not be stored");
    let message = "files cannot be uploaded at the moment; try again later";
    Rejection::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
}
