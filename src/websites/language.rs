//! Languages that the search supports.

use crate::text_enum;

text_enum! {
    /// Language, as an ISO 639-1 code. Search reduces the words of these languages to their stems.
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
        /// Any other language. Words match as written, ignoring case and accents.
        Other => "other",
    }
}
