//! Quantities by order line, as given for shipments and returns.

use std::collections::{HashMap, HashSet};

use crate::{
    error::{Error, Result, UserError, UserErrorCode},
    ids::OrderDetailId,
    orders::model::OrderDetailRow,
    stock::sale::check_quantity,
};

/// Order lines with quantities.
pub(super) type LineQuantities = Vec<(OrderDetailId, i32)>;

/// Checks quantities against the lines of the order: each line is given once, with no more units than `left` returns.
/// `verb` is what is to be done with the units.
/// # Errors
/// REQUIRED if no line is given; NOT_FOUND, INVALID and OUT_OF_RANGE of `lines.<n>`.
pub(super) fn check_quantities(
    named: &[(OrderDetailId, i32)],
    lines: &[OrderDetailRow],
    left: impl Fn(&OrderDetailRow) -> i32,
    verb: &str,
) -> Result<()> {
    if named.is_empty() {
        return Err(Error::user(UserErrorCode::Required, "lines", "lines must contain at least one line"));
    }
    let lines: HashMap<OrderDetailId, &OrderDetailRow> = lines.iter().map(|line| (line.id, line)).collect();
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for (index, (id, quantity)) in named.iter().enumerate() {
        let field = |name: &str| format!("lines.{index}.{name}");
        let is_again = !seen.insert(*id);
        match lines.get(id) {
            None => {
                let rule = "the order has no such line";
                wrong.push(UserError::new(UserErrorCode::NotFound, field("orderDetailId"), rule));
            }
            Some(_) if is_again => {
                let rule = "the line is listed more than once";
                wrong.push(UserError::new(UserErrorCode::Invalid, field("orderDetailId"), rule));
            }
            Some(line) => match check_quantity(field("quantity"), *quantity) {
                Err(error) => wrong.push(error),
                Ok(()) if *quantity > left(line) => {
                    let rule = match left(line) {
                        ..=0 => format!("no units of this line are left to {verb}"),
                        1 => format!("only 1 unit of this line is left to {verb}"),
                        left => format!("only {left} units of this line are left to {verb}"),
                    };
                    wrong.push(UserError::new(UserErrorCode::OutOfRange, field("quantity"), rule));
                }
                Ok(()) => {}
            },
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}
