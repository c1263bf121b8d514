//! The order of names in the language of a website.
//! Rule: most languages share one order, that of the collation `name_order`. Each of the others has a collation, which
//! the migrations create, and its own cursors.

use super::language::Language;

/// An order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NameOrder(Option<Language>);

impl NameOrder {
    /// The orders that differ from the common one.
    pub const OF_LANGUAGES: &'static [Self] = &[
        Self(Some(Language::Ar)),
        Self(Some(Language::Da)),
        Self(Some(Language::El)),
        Self(Some(Language::Es)),
        Self(Some(Language::Fi)),
        Self(Some(Language::Hi)),
        Self(Some(Language::Hu)),
        Self(Some(Language::Hy)),
        Self(Some(Language::Lt)),
        Self(Some(Language::Ne)),
        Self(Some(Language::No)),
        Self(Some(Language::Ro)),
        Self(Some(Language::Ru)),
        Self(Some(Language::Sr)),
        Self(Some(Language::Sv)),
        Self(Some(Language::Ta)),
        Self(Some(Language::Tr)),
        Self(Some(Language::Yi)),
    ];

    /// Returns the order of a language.
    pub fn of(language: Language) -> Self {
        let own = Self(Some(language));
        if Self::OF_LANGUAGES.contains(&own) { own } else { Self::default() }
    }

    /// Returns the language, if its order differs from the common one.
    pub fn language(self) -> Option<Language> {
        self.0
    }

    /// Returns the name of the collation.
    pub fn collation(self) -> &'static str {
        by_name_order!(self, "name_order")
    }
}

/// Returns a text that ends with the language of a [`NameOrder`]: `"name_order"` becomes `"name_order_sv"`.
macro_rules! by_name_order {
    ($order:expr, $text:literal) => {{
        use $crate::websites::language::Language;
        match $order.language() {
            Some(Language::Ar) => concat!($text, "_ar"),
            Some(Language::Da) => concat!($text, "_da"),
            Some(Language::El) => concat!($text, "_el"),
            Some(Language::Es) => concat!($text, "_es"),
            Some(Language::Fi) => concat!($text, "_fi"),
            Some(Language::Hi) => concat!($text, "_hi"),
            Some(Language::Hu) => concat!($text, "_hu"),
            Some(Language::Hy) => concat!($text, "_hy"),
            Some(Language::Lt) => concat!($text, "_lt"),
            Some(Language::Ne) => concat!($text, "_ne"),
            Some(Language::No) => concat!($text, "_no"),
            Some(Language::Ro) => concat!($text, "_ro"),
            Some(Language::Ru) => concat!($text, "_ru"),
            Some(Language::Sr) => concat!($text, "_sr"),
            Some(Language::Sv) => concat!($text, "_sv"),
            Some(Language::Ta) => concat!($text, "_ta"),
            Some(Language::Tr) => concat!($text, "_tr"),
            Some(Language::Yi) => concat!($text, "_yi"),
            _ => $text,
        }
    }};
}
pub(crate) use by_name_order;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_has_its_own_collation() {
        assert_eq!(NameOrder::of(Language::De).collation(), "name_order");
        for order in NameOrder::OF_LANGUAGES {
            let language = order.language().expect("a language");
            assert_eq!(NameOrder::of(language), *order);
            assert_eq!(order.collation(), format!("name_order_{}", language.as_str()));
        }
    }
}
