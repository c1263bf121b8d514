//! Lists of `code=value` pairs in Magento's files.
//! Rule: separators also occur in values; a part that cannot begin an entry belongs to the value before it.

/// Splits the variations of a configurable product at vertical bars. A part without a SKU belongs to the variation before
/// it, which has a value with a vertical bar.
pub fn variations(cell: &str) -> Vec<String> {
    let mut variations: Vec<String> = Vec::new();
    for part in cell.split('|') {
        match variations.last_mut() {
            Some(variation) if pairs(part).iter().all(|(code, _)| code != "sku") => {
                variation.push('|');
                variation.push_str(part);
            }
            _ => variations.push(part.to_owned()),
        }
    }
    variations
}

/// Parses `code=value` pairs separated by commas. A part without a code belongs to the previous value, which contained
/// a comma.
pub fn pairs(cell: &str) -> Vec<(String, String)> {
    let is_code = |code: &str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in cell.split(',') {
        match (part.split_once('='), pairs.last_mut()) {
            (Some((code, value)), _) if is_code(code.trim().trim_start_matches('"')) => {
                pairs.push((code.trim().trim_start_matches('"').to_lowercase(), value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            _ => {}
        }
    }
    pairs.into_iter().map(|(code, value)| (code, value.trim().trim_matches('"').to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_values_are_kept() {
        let split = variations("sku=A,climate=Cool|Indoor,size=S|sku=B,climate=Hot");
        assert_eq!(split, ["sku=A,climate=Cool|Indoor,size=S", "sku=B,climate=Hot"]);
        let pair = |code: &str, value: &str| (code.to_owned(), value.to_owned());
        assert_eq!(pairs(&split[0]), [pair("sku", "A"), pair("climate", "Cool|Indoor"), pair("size", "S")]);
        assert_eq!(pairs("leather=Brown, oiled,x=1"), [pair("leather", "Brown, oiled"), pair("x", "1")]);
        assert_eq!(variations("size=S,sku=A|size=M,sku=B"), ["size=S,sku=A", "size=M,sku=B"]);
        assert_eq!(variations(""), [""]);
    }
}
