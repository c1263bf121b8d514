//! Readers of files, pure code without a database.
//! Rule: `decode` and `table` know no noun: any CSV file may be read by them, in constant memory.

pub mod decode;
pub mod table;
