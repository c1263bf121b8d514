//! The mutations that write no entry to the audit log.

/// Each mutation, and why it writes none.
pub const UNAUDITED: &[(&str, &str)] = &[
    ("cartCreate", CARTS),
    ("cartLineAdd", CARTS),
    ("cartLineUpdate", CARTS),
    ("cartLineRemove", CARTS),
    ("cartClear", CARTS),
    ("cartReserve", CARTS),
    ("cartRelease", CARTS),
    ("logout", SESSIONS),
    ("orderNoteAdd", "the history of the order tells it"),
    ("logoutEverywhere", SESSIONS),
    ("searchClick", "it counts what people take of what they find, and changes no resource_type"),
    ("sessionRevoke", SESSIONS),
    ("tokenRefresh", SESSIONS),
    ("uploadCreate", "it is an address, no thing"),
    ("emailChange", JOBS),
    ("emailVerificationResend", JOBS),
    ("passwordForgot", JOBS),
    ("emailChangeConfirm", MAIL),
    ("emailVerify", MAIL),
    ("passwordChange", MAIL),
    ("passwordReset", MAIL),
];
const CARTS: &str = "a cart is its holder's own until it is bought";
const SESSIONS: &str = "sessions keep their own times, devices and addresses";
const JOBS: &str = "it queues a job that sends a mail";
const MAIL: &str = "it takes the token of a mail, or a password: `recovery` has what they leave";
