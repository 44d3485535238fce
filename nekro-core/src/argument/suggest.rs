//! "Did you mean": the known word that is nearest to an unknown one.

/// Returns the known word that was probably meant, if one is near enough to say so.
///
/// ```
/// # use nekro_core::suggest;
/// assert_eq!(suggest("ctiy", ["city", "days"]), Some("city"));
/// assert_eq!(suggest("zzz", ["city", "days"]), None);
/// ```
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A very long word is hostile rather than misspelt, and the distance costs the product of the lengths.
    let length = Some(word.chars().count()).filter(|length| *length <= 64)?;
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= (length.max(known.chars().count()) / 3).max(1) && *distance < length)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
