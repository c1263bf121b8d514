//! Media types: negotiation of the response type, and detection of JSON and form bodies.
//! Rule: the quality values of `Accept` decide, as RFC 9110 says: the most specific entry that matches a type has its
//! quality, and 0 excludes the type. Of types with the same quality the one that is named first is chosen.
//!
//! The crate `mime` is not used: it rejects the whitespace before a `;` that RFC 9110 allows, and then drops the
//! parameters.

use std::cmp::Reverse;

use axum::http::{HeaderMap, HeaderValue, header};

/// The media types of a GraphQL response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the HTTP status tells whether the request was valid.
    GraphqlResponse,
    /// `application/json`: the HTTP status of a well-formed request is 200, even if the operation is invalid.
    Json,
}

impl MediaType {
    /// Returns the supported media type with the highest quality in the `Accept` header; JSON without a header; `None` if
    /// nothing matches.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::ACCEPT).iter().peekable();
        if values.peek().is_none() {
            return Some(Self::Json);
        }
        let entries = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let entries: Vec<_> = entries.map(split_parameters).filter(|(_, parameters)| is_utf8(parameters)).collect();
        // With the same entry for both, the first one is chosen: JSON, which every client understands.
        let candidates = [Self::Json, Self::GraphqlResponse].into_iter().filter_map(|media_type| {
            let matches = entries.iter().enumerate().filter_map(|(position, (name, parameters))| {
                Some((media_type.specificity(name)?, Reverse(position), quality(parameters)))
            });
            let (_, Reverse(position), quality) =
                matches.max_by_key(|(specificity, position, _)| (*specificity, *position))?;
            (quality > 0).then_some((media_type, quality, position))
        });
        let chosen = candidates.min_by_key(|(_, quality, position)| (Reverse(*quality), *position));
        chosen.map(|(media_type, ..)| media_type)
    }

    /// Returns how specific an entry of `Accept` is about this type, or `None` if it does not match.
    fn specificity(self, entry: &str) -> Option<u8> {
        match (entry, self) {
            ("*/*", _) => Some(0),
            ("application/*", _) => Some(1),
            ("application/json", Self::Json) | ("application/graphql-response+json", Self::GraphqlResponse) => Some(2),
            _ => None,
        }
    }

    /// Returns the value of the `Content-Type` header.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// Returns the value of the first of these media types that the `Accept` header names and does not exclude.
pub fn first_accepted<T: Copy>(headers: &HeaderMap, types: &[(&str, T)]) -> Option<T> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|entry| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let (_, found) = types.iter().find(|(known, _)| name.trim().eq_ignore_ascii_case(known))?;
        (quality(parameters) > 0).then_some(*found)
    })
}

/// Returns whether the body is JSON in UTF-8.
pub fn is_json(headers: &HeaderMap) -> bool {
    let (name, parameters) = split_parameters(content_type(headers));
    name == "application/json" && is_utf8(parameters)
}

/// Returns whether the body is a multipart form.
pub fn is_multipart(headers: &HeaderMap) -> bool {
    split_parameters(content_type(headers)).0 == "multipart/form-data"
}

/// Returns whether the client asks for HTML before JSON, as a browser does.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<_> = values.flat_map(|value| value.split(',')).map(split_parameters).collect();
    let quality = |wanted: &[&str]| {
        let matching = entries.iter().filter(|(name, _)| wanted.contains(&name.as_str()));
        let qualities = matching.map(|(_, parameters)| {
            parameter_values(parameters, "q").next().map_or(1.0, |quality| quality.parse().unwrap_or(0.0))
        });
        qualities.fold(0.0, f32::max)
    };
    let html = quality(&["text/html"]);
    html > 0.0 && html >= quality(&["application/json", "application/graphql-response+json"])
}

/// Returns whether the client accepts a content encoding that it names.
pub fn accepts_encoding(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut entries = values.flat_map(|value| value.split(',')).map(split_parameters);
    entries.any(|(name, parameters)| name == encoding && quality(parameters) > 0)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Splits a media type into its name, in lower case, and the text of its parameters.
fn split_parameters(media_type: &str) -> (String, &str) {
    let (name, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    (name.trim().to_ascii_lowercase(), parameters)
}

/// Returns the values of a parameter, without quotes.
fn parameter_values<'a>(parameters: &'a str, wanted: &'static str) -> impl Iterator<Item = &'a str> {
    let pairs = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let pairs = pairs.filter(move |(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    pairs.map(|(_, value)| value.trim().trim_matches('"'))
}

/// Returns whether the parameters name no charset other than UTF-8.
fn is_utf8(parameters: &str) -> bool {
    let is_utf8 = |value: &str| ["utf-8", "utf8"].iter().any(|name| value.eq_ignore_ascii_case(name));
    parameter_values(parameters, "charset").all(is_utf8)
}

/// Returns the quality of an entry of `Accept` in thousandths; 1000 if there is none, or a malformed one.
fn quality(parameters: &str) -> u32 {
    let quality = parameter_values(parameters, "q").find_map(|quality| quality.parse::<f32>().ok());
    let quality = quality.filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or(1.0);
    // Within the range of the type, as just checked.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let thousandths = (quality * 1000.0).round() as u32;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_map(name: header::HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn supported_media_type_with_the_highest_quality_is_chosen() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(MediaType::negotiate(&HeaderMap::new()), Some(Json));
        for (accept, expected) in [
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html, */*;q=0.8", Some(Json)),
            ("text/html, application/graphql-response+json;q=0.1, application/json", Some(Json)),
            ("application/json;q=0.5, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json;q=0.9, application/json;q=0.9", Some(GraphqlResponse)),
            ("application/json;q=0.9, application/graphql-response+json;q=0.9", Some(Json)),
            ("application/graphql-response+json, application/json;q=0.9, */*;q=0.1", Some(GraphqlResponse)),
            // The entry for the type itself has priority over one for several types.
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("*/*, application/json;q=0", Some(GraphqlResponse)),
            ("application/*;q=0.2, application/json;q=0.1", Some(GraphqlResponse)),
            ("application/*;q=0, */*", None),
            ("application/json;q=0", None),
            ("application/json; Q=0.000", None),
            ("*/*;q=0", None),
            ("application/json;q=x", Some(Json)),
            ("application/json;q=NaN, application/graphql-response+json;q=0.5", Some(Json)),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                Some(GraphqlResponse),
            ),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("APPLICATION/JSON; charset=UTF-8", Some(Json)),
            ("application/json; charset=\"utf8\"", Some(Json)),
            ("application/graphql-response+json;q=0, application/json", Some(Json)),
            ("text/html, image/gif, *; q=.2, */*; q=.2", Some(Json)),
            ("not a media type, application/json", Some(Json)),
            ("application/json; charset=latin1", None),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(MediaType::negotiate(&header_map(header::ACCEPT, accept)), expected, "{accept}");
        }
    }

    #[test]
    fn browsers_prefer_html() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", true),
            ("text/html", true),
            ("application/json;q=0.5, text/html;q=0.6", true),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0", false),
            ("*/*", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(prefers_html(&header_map(header::ACCEPT, accept)), expected, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn request_bodies_are_classified_by_media_type() {
        for (content_type, json, multipart) in [
            ("application/json", true, false),
            ("Application/JSON;charset=UTF-8", true, false),
            ("application/json ; charset=utf-8", true, false),
            ("application/json; charset=utf-16", false, false),
            ("application/json-patch+json", false, false),
            ("text/plain; application/json", false, false),
            ("multipart/form-data; boundary=x", false, true),
            ("", false, false),
        ] {
            let headers = header_map(header::CONTENT_TYPE, content_type);
            assert_eq!((is_json(&headers), is_multipart(&headers)), (json, multipart), "{content_type}");
        }
    }
}
