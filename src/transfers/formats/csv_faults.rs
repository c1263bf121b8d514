//! Faults in the lines of a CSV file that have nothing to do with its columns.
//! Rule: the message says what is wrong with the line itself, because all later lines may be a part of it.

use crate::transfers::record::Rejection;

/// Returns the rejection of a line whose quote is not closed, if it is one: the last record of a file, which has an odd
/// number of quotes and goes on over further lines. A sign for inches is no quote, but does not go on.
pub(super) fn unclosed_quote(line: u64, further_lines: u64, is_last: bool, quotes: usize) -> Option<Rejection> {
    if !is_last || further_lines == 0 || quotes.is_multiple_of(2) {
        return None;
    }
    let message = format!(
        "a quote that opens on line {line} is not closed, so that the rest of the file ({further_lines} more lines) \
         is read as a part of it; close or remove the quote and import the file again"
    );
    Some(Rejection { column: None, message })
}

/// Returns why the bytes of a cell are no text.
pub(super) fn text_problem(cell: &[u8]) -> Option<&'static str> {
    match std::str::from_utf8(cell) {
        Err(_) => {
            Some("the text is not UTF-8; save the file as CSV (UTF-8), or import it with the encoding windows-1252")
        }
        Ok(text) => text.contains('\0').then_some("the text contains the character NUL; remove it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{csv_reader::CsvReader, decode::Encoding};

    /// Returns the line numbers of a file and the messages of the rejections.
    fn read(file: &[u8]) -> Vec<(u64, String)> {
        let mut reader = CsvReader::open(file, Encoding::Unicode).unwrap();
        let lines = std::iter::from_fn(|| reader.next_line().unwrap());
        lines
            .map(|line| (line.line, line.rejection.map(|rejection| rejection.to_string()).unwrap_or_default()))
            .collect()
    }

    #[test]
    fn an_unclosed_quote_is_named() {
        let lines = read(b"sku,name\nA,26\" wheel\nB,\"open\nC,c\nD,d\n");
        assert_eq!(lines[0], (2, String::new()));
        assert!(lines.len() == 2 && lines[1].0 == 3, "{lines:?}");
        assert!(lines[1].1.contains("opens on line 3") && lines[1].1.contains("3 more lines"), "{lines:?}");
        assert_eq!(read(b"sku,name\nA,\"a\nb\"\nB,26\""), [(2, String::new()), (4, String::new())]);
    }

    #[test]
    fn a_nul_character_is_named() {
        let lines = read(b"sku,name\nA,a\0b\nB,caf\xe9\n");
        assert!(lines[0].1.contains("name: the text contains the character NUL"), "{lines:?}");
        assert!(lines[1].1.contains("not UTF-8"), "{lines:?}");
    }
}
