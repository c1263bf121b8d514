//! The mutations that write no audit log entry.

/// Each mutation, with its reason.
pub const UNAUDITED: &[(&str, &str)] = &[
    ("cartCreate", CARTS),
    ("cartLineAdd", CARTS),
    ("cartLineUpdate", CARTS),
    ("cartLineRemove", CARTS),
    ("cartClear", CARTS),
    ("cartReserve", CARTS),
    ("cartRelease", CARTS),
    ("logout", SESSIONS),
    ("orderEmailConfirm", "takes a token; changes no resource"),
    ("orderNoteAdd", "recorded in the order's history"),
    ("logoutEverywhere", SESSIONS),
    ("searchClick", "analytics; changes no resource"),
    ("sessionRevoke", SESSIONS),
    ("tokenRefresh", SESSIONS),
    ("uploadCreate", "only returns a URL"),
    ("emailChange", JOBS),
    ("emailVerificationResend", JOBS),
    ("passwordForgot", JOBS),
    ("emailChangeConfirm", MAIL),
    ("emailVerify", MAIL),
    ("passwordChange", MAIL),
    ("passwordReset", MAIL),
];
const CARTS: &str = "a cart is private to its owner until checkout";
const SESSIONS: &str = "sessions record their own times, devices and addresses";
const JOBS: &str = "queues a job that sends an email";
const MAIL: &str = "takes a token or a password; its entries are tested in `recovery`";
