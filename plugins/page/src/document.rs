//! A page as a tree of elements.

use dom_query::{Document, NodeRef};
use url::Url;

use crate::{Refusal, price};

/// How deep elements may be nested: what follows takes the square of it.
pub(crate) const DEEPEST: usize = 300;

/// Reads a page, if that costs no more than it may.
pub(crate) fn parse(html: &str) -> Result<Document, Refusal> {
    if !price::is_fair(html) {
        return Err(Refusal::TooCostly);
    }
    let document = Document::from(html);
    if is_deeper(&document.root(), DEEPEST) {
        return Err(Refusal::TooDeep);
    }
    Ok(document)
}

/// Tells whether a tree is deeper than it may be, without going down by recursion.
fn is_deeper(root: &NodeRef<'_>, most: usize) -> bool {
    let (mut node, mut depth) = (*root, 0);
    loop {
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            if depth > most {
                return true;
            }
            continue;
        }
        // The next one beside it, or beside one of those above it.
        loop {
            if depth == 0 {
                return false;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(above) = node.parent() else { return false };
            (node, depth) = (above, depth - 1);
        }
    }
}

/// Takes out what is not shown.
pub(crate) fn strip(document: &Document) {
    const NOT_SHOWN: &str = "script, style, noscript, template, iframe, object, svg, [hidden], [aria-hidden=\"true\"], \
        [style*=\"display:none\"], [style*=\"display: none\"], [style*=\"visibility:hidden\"], [style*=\"visibility: hidden\"]";
    document.select(NOT_SHOWN).remove();
}

/// Completes links by where the page comes from, and takes out those that lead to no page.
pub(crate) fn complete(document: &Document, base: Option<&Url>) {
    let own = document.select_single("base[href]").attr("href");
    let joined = |link: &str, base: Option<&Url>| match base {
        Some(base) => base.join(link).ok(),
        None => Url::parse(link).ok(),
    };
    let of_the_page = own.and_then(|own| joined(&own, base)).filter(is_web);
    let base = of_the_page.as_ref().or(base);
    for (selector, name) in [("a[href]", "href"), ("img[src]", "src")] {
        for element in document.select(selector).iter() {
            let link = element.attr(name).unwrap_or_default();
            match joined(link.trim(), base).filter(|url| is_web(url) || url.scheme() == "mailto") {
                Some(url) => element.set_attr(name, url.as_str()),
                None => element.remove_attr(name),
            }
        }
    }
    document.select("img:not([src])").remove();
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}
