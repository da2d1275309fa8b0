//! Ink: plotters knows colours, our pages know roles. Each role is drawn in a colour that stands for it, and the finished
//! text has the role's name put back in its place.

use plotters::style::RGBColor;

/// What a shape is about. The name is that of a custom property in `style/tokens.css`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Electric power and energy.
    Power,
    /// Heat, and what moves it.
    Heat,
    /// Tokens, and the boards that make them.
    Tokens,
    /// What is lost on the way.
    Loss,
    /// Words.
    Text,
    /// Words of less weight.
    TextSoft,
    /// Grid lines.
    Line,
    /// What is wrong.
    Error,
    /// What may go wrong.
    Warning,
    /// What is worth knowing.
    Note,
    /// Money, or a fourth line of a chart.
    Money,
    /// Carbon, or a fifth.
    Carbon,
}

impl Ink {
    pub(crate) const ALL: [Self; 12] = [
        Self::Power,
        Self::Heat,
        Self::Tokens,
        Self::Loss,
        Self::Text,
        Self::TextSoft,
        Self::Line,
        Self::Error,
        Self::Warning,
        Self::Note,
        Self::Money,
        Self::Carbon,
    ];

    /// Its custom property.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Power => "--power",
            Self::Heat => "--heat",
            Self::Tokens => "--tokens",
            Self::Loss => "--loss",
            Self::Text => "--text",
            Self::TextSoft => "--text-soft",
            Self::Line => "--line",
            Self::Error => "--error",
            Self::Warning => "--warning",
            Self::Note => "--note",
            Self::Money => "--money",
            Self::Carbon => "--carbon",
        }
    }

    /// The colour that stands for it until the text is finished.
    pub(crate) fn stand_in(self) -> RGBColor {
        let place = Self::ALL.iter().position(|ink| *ink == self).unwrap_or_default();
        RGBColor(0xFE, 0xDC, u8::try_from(place).unwrap_or_default())
    }

    /// The text with every stand-in replaced by its role.
    pub(crate) fn restore(svg: &str) -> String {
        Self::ALL.iter().fold(svg.to_owned(), |text, ink| {
            let RGBColor(r, g, b) = ink.stand_in();
            text.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"var({})\"", ink.token()))
        })
    }
}
