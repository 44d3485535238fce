//! Pictures that a person sends by their path.

use std::{fs::File, io::Read, path::Path};

use nekro_core::{Error, Result};

use crate::history;

/// Reads a picture. What sort it is of, its content says and not its name.
///
/// # Errors
///
/// If it cannot be read, has more than `most_bytes` bytes, or is no picture that models know.
pub(super) fn read(path: &Path, most_bytes: u64) -> Result<history::File> {
    let shown = path.display();
    let problem = |error| Error::new(format!("the picture {shown} cannot be read: {error}"));
    let file = File::open(path).map_err(problem)?;
    if !file.metadata().map_err(problem)?.is_file() {
        return Err(Error::new(format!("{shown} is no file")));
    }
    let mut bytes = Vec::new();
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(problem)?;
    if bytes.len() as u64 > most_bytes {
        let error = Error::new(format!("the picture {shown} has more than {most_bytes} bytes"));
        return Err(error.with_hint("the limit is `agent.file_bytes`"));
    }
    let Some(media_type) = media_type(&bytes) else {
        return Err(Error::new(format!("{shown} is no picture")).with_hint("pictures are PNG, JPEG, GIF or WebP"));
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(history::File { name, media_type: media_type.to_owned(), bytes })
}

/// Tells the sort of a picture by how it begins.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content() {
        let place = tempfile::tempdir().expect("a directory");
        let read = |name: &str, bytes: &[u8], most| {
            let path = place.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            read(&path, most).map(|file| (file.name, file.media_type)).map_err(|error| error.hint().map(str::to_owned))
        };
        let is = |name: &str, media_type: &str| Ok((name.to_owned(), media_type.to_owned()));
        assert_eq!(read("a.txt", b"\x89PNG\r\n\x1a\n...", 100), is("a.txt", "image/png"));
        assert_eq!(read("b", b"\xff\xd8\xff\xe0", 4), is("b", "image/jpeg"));
        assert_eq!(read("c", b"GIF89a", 100), is("c", "image/gif"));
        assert_eq!(read("d", b"RIFF\x10\0\0\0WEBPVP8 ", 100), is("d", "image/webp"));
        assert_eq!(read("e.png", b"hello", 100), Err(Some("pictures are PNG, JPEG, GIF or WebP".to_owned())));
        assert_eq!(read("f", b"GIF89a", 5), Err(Some("the limit is `agent.file_bytes`".to_owned())));
        assert!(super::read(place.path(), 5).is_err() && super::read(&place.path().join("none"), 5).is_err());
    }
}
