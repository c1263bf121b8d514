//! The languages in which things are searched.

use crate::text_enum;

text_enum! {
    /// A language, by its ISO 639-1 code, whose stems the search knows.
    #[derive(Default)]
    #[graphql(name = "LanguageCode")]
    pub enum Language {
        /// English.
        #[default]
        En => "en",
        /// Arabic.
        Ar => "ar",
        /// Catalan.
        Ca => "ca",
        /// Danish.
        Da => "da",
        /// German.
        De => "de",
        /// Greek.
        El => "el",
        /// Spanish.
        Es => "es",
        /// Basque.
        Eu => "eu",
        /// Finnish.
        Fi => "fi",
        /// French.
        Fr => "fr",
        /// Irish.
        Ga => "ga",
        /// Hindi.
        Hi => "hi",
        /// Hungarian.
        Hu => "hu",
        /// Armenian.
        Hy => "hy",
        /// Indonesian.
        Id => "id",
        /// Italian.
        It => "it",
        /// Lithuanian.
        Lt => "lt",
        /// Nepali.
        Ne => "ne",
        /// Dutch.
        Nl => "nl",
        /// Norwegian.
        No => "no",
        /// Portuguese.
        Pt => "pt",
        /// Romanian.
        Ro => "ro",
        /// Russian.
        Ru => "ru",
        /// Serbian.
        Sr => "sr",
        /// Swedish.
        Sv => "sv",
        /// Tamil.
        Ta => "ta",
        /// Turkish.
        Tr => "tr",
        /// Yiddish.
        Yi => "yi",
        /// Any other: words are found as they are written, without regard to case and accents.
        Other => "other",
    }
}
