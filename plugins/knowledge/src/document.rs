//! Documents as text: Markdown and plain text as they are, HTML as the article that it holds, PDF as the text of its pages.

use std::fmt;

use crate::{pdf, source::Form};

/// A document that was read.
#[derive(Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) form: Form,
    pub(crate) text: String,
}

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// It is something else than text.
    NotText(&'static str),
    /// Reading it would cost too much.
    Page(nekro_page::Refusal),
    /// It is a PDF that is not read.
    Pdf(pdf::Refusal),
}

impl Refusal {
    /// Returns the short word that programs compare.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotText(_) => "unsupported",
            Self::Page(_) | Self::Pdf(pdf::Refusal::TooMuch(_) | pdf::Refusal::Slow) => "too_complex",
            Self::Pdf(pdf::Refusal::Damaged) => "damaged",
            Self::Pdf(pdf::Refusal::Locked) => "locked",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText(media_type) => write!(f, "is `{media_type}`; plain text, Markdown, HTML and PDF are read"),
            Self::Page(refusal) => write!(f, "is not read: {refusal}"),
            Self::Pdf(refusal) => write!(f, "is not read: {refusal}"),
        }
    }
}

impl Document {
    /// Reads a document.
    pub(crate) async fn read(bytes: Vec<u8>, media_type: &'static str, name: Option<&str>) -> Result<Self, Refusal> {
        if bytes.starts_with(b"%PDF-") {
            let text = pdf::read(bytes).await.map_err(Refusal::Pdf)?;
            return Ok(Self { form: Form::Pdf, text });
        }
        Self::read_text(&bytes, media_type, name)
    }

    fn read_text(bytes: &[u8], media_type: &'static str, name: Option<&str>) -> Result<Self, Refusal> {
        let text = nekro_page::decode(bytes, None);
        if text.contains('\0') {
            return Err(Refusal::NotText(media_type));
        }
        if !is_html(&text, media_type, name) {
            return Ok(Self { form: Form::Text, text });
        }
        let page = nekro_page::article(&text, None).map_err(Refusal::Page)?;
        let title = if page.title.is_empty() { String::new() } else { format!("# {}\n\n", page.title) };
        Ok(Self { form: Form::Html, text: title + &page.markdown })
    }
}

fn is_html(text: &str, media_type: &str, name: Option<&str>) -> bool {
    let ends = |name: &str| [".html", ".htm", ".xhtml"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    media_type == "text/html" || name.is_some_and(ends) || start.starts_with("<!doctype html") || start.starts_with("<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_nothing_else_is() {
        let read = |bytes: &[u8], name| {
            Document::read_text(bytes, "application/octet-stream", name).map(|document| (document.form, document.text))
        };
        assert_eq!(read("# Tä".as_bytes(), Some("a.md")), Ok((Form::Text, "# Tä".to_owned())));
        let html = "<title>Tea</title><p>Boil the water.<script>x</script>";
        assert_eq!(read(html.as_bytes(), Some("a.HTML")), Ok((Form::Html, "# Tea\n\nBoil the water.".to_owned())));
        assert_eq!(read(html.as_bytes(), Some("a.txt")), Ok((Form::Text, html.to_owned())));
        assert_eq!(read(b"<!DOCTYPE html><p>x", None), Ok((Form::Html, "x".to_owned())));
        assert_eq!(read(b"\0\x01", None), Err(Refusal::NotText("application/octet-stream")));
        let refused = read(format!("<html>{}", "<div>".repeat(400)).as_bytes(), None).expect_err("it is refused");
        assert_eq!(refused.code(), "too_complex");
    }

    #[tokio::test]
    async fn a_pdf_is_read_by_its_pages() {
        let read = async |bytes: Vec<u8>| Document::read(bytes, "application/pdf", None).await;
        let made = pdf::tests::pdf(&["BT /F1 12 Tf (Boil the water.) Tj ET"]);
        let document = read(made).await.expect("it is read");
        assert_eq!((document.form, document.text.as_str()), (Form::Pdf, "## Page 1\n\nBoil the water.\n\n"));
        let refused = read(b"%PDF-1.7 \0".to_vec()).await.expect_err("it is damaged");
        assert_eq!((refused.code(), refused.to_string().as_str()), ("damaged", "is not read: it is damaged"));
    }
}
