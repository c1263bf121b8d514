//! A received email with its headers and parts decoded.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A received email.
#[derive(Debug, Clone)]
pub struct Email {
    /// Sender of the envelope.
    pub from: String,
    /// Recipients of the envelope.
    pub to: Vec<String>,
    /// Lower-case names and decoded values, in the order received.
    pub headers: Vec<(String, String)>,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Email {
    /// Parses an email of two alternative parts.
    pub fn parse(from: &str, to: &[String], raw: &str) -> Self {
        let (headers, body) = split(raw);
        let kind = &headers.iter().find(|(name, _)| name == "content-type").expect("a content type").1;
        assert!(kind.starts_with("multipart/alternative"), "{kind}");
        let boundary = kind.split_once("boundary=\"").expect("a boundary").1.split('"').next().expect("a text");
        let parts: Vec<_> = body.split(&format!("--{boundary}")).skip(1).map(part).collect();
        let [(plain, text), (rich, html), _] = parts.as_slice() else { panic!("not two parts in {raw}") };
        assert_eq!([plain.as_str(), rich.as_str()], ["text/plain; charset=utf-8", "text/html; charset=utf-8"]);
        let (text, html) = (text.clone(), html.clone());
        Self { from: from.to_owned(), to: to.to_vec(), headers, text, html }
    }

    /// Returns all values of a header.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the value of a header that occurs exactly once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let all = self.headers(name);
        assert_eq!(all.len(), 1, "{name} in {:?}", self.headers);
        all[0]
    }

    /// Returns the token of the link in the text part; the HTML part has the same token.
    #[track_caller]
    pub fn token(&self) -> String {
        let of = |text: &str| {
            let (_, rest) = text.split_once("?token=").unwrap_or_else(|| panic!("no token in {text}"));
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).next().unwrap_or_default().to_owned()
        };
        let token = of(&self.text);
        assert_eq!(of(&self.html), token);
        token
    }
}

/// Splits an email into its decoded headers and its body.
fn split(raw: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body in {raw}"));
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = unfolded.split("\r\n").map(|line| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line} is not a header"));
        (name.to_ascii_lowercase(), decode_words(value.trim()))
    });
    (headers.collect(), body)
}

/// Returns the type and the decoded text of a part.
fn part(raw: &str) -> (String, String) {
    let raw = raw.trim_start_matches("\r\n");
    if raw.starts_with("--") {
        return Default::default();
    }
    let (headers, body) = split(raw);
    // The last line break belongs to the boundary.
    let body = body.strip_suffix("\r\n").unwrap_or(body);
    let header = |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let bytes = match header("content-transfer-encoding") {
        Some("base64") => STANDARD.decode(body.replace("\r\n", "")).expect("base64"),
        Some("quoted-printable") => decode_quoted_printable(&body.replace("=\r\n", "")),
        Some("7bit" | "8bit") | None => body.as_bytes().to_vec(),
        Some(other) => panic!("{other}"),
    };
    let text = String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
    (header("content-type").unwrap_or_default().to_owned(), text)
}

/// Decodes RFC 2047 words, `=?utf-8?b?...?=`; whitespace between two encoded words is dropped.
fn decode_words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, encoded)) = rest.split_once("=?utf-8?") {
        if !(before.trim().is_empty() && rest.len() < value.len()) {
            out.push_str(before);
        }
        let (how, encoded) = encoded.split_once('?').expect("an encoding");
        let (text, after) = encoded.split_once("?=").expect("the end of an encoded word");
        let bytes = match how {
            "b" => STANDARD.decode(text).expect("base64"),
            "q" => decode_quoted_printable(&text.replace('_', " ")),
            other => panic!("{other}"),
        };
        out.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
        rest = after;
    }
    out + rest
}

fn decode_quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex: Vec<u8> = if byte == b'=' { rest.by_ref().take(2).collect() } else { Vec::new() };
        let hex = std::str::from_utf8(&hex).expect("ASCII");
        bytes.push(if hex.is_empty() { byte } else { u8::from_str_radix(hex, 16).expect("two hex digits") });
    }
    bytes
}

/// Decodes base64 text, with zero bytes as spaces.
pub fn base64_text(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8").replace('\0', " ").trim().to_owned()
}
