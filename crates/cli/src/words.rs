//! Words of a command line as text from which their bytes can be had again.
//!
//! Classic commands read their words as text. A byte that is no part of UTF-8 becomes a character of the private use area, U+10FF00 and its value; these
//! characters themselves are written byte by byte in the same way, so that no two words are confused.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

const FIRST: u32 = 0x10_ff00;

/// The text of a word.
pub(crate) fn to_text(word: &OsStr) -> String {
    let mut text = String::with_capacity(word.len());
    for chunk in word.as_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            if byte_of(letter).is_none() {
                text.push(letter);
            } else {
                letter.encode_utf8(&mut [0; 4]).bytes().for_each(|it| text.push(letter_of(it)));
            }
        }
        chunk.invalid().iter().for_each(|&it| text.push(letter_of(it)));
    }
    text
}

/// The word of a text.
pub(crate) fn to_word(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        match byte_of(letter) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    OsString::from_vec(bytes)
}

/// The path that a word names.
pub(crate) fn to_path(text: &str) -> PathBuf {
    PathBuf::from(to_word(text))
}

fn letter_of(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte_of(letter: char) -> Option<u8> {
    u32::from(letter).checked_sub(FIRST).and_then(|it| u8::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::{to_text, to_word};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn every_word_comes_back() {
        let words: [&[u8]; 5] = [
            b"",
            b"/usr/bin",
            "/h\u{e9}/\u{10ff41}".as_bytes(),
            b"/\xff\xc3(",
            b"/\xf4\x8f\xbd\x81\xf4",
        ];
        for word in words {
            let text = to_text(OsStr::from_bytes(word));
            assert_eq!(to_word(&text).as_bytes(), word, "{text:?}");
        }
        assert_ne!(to_text(OsStr::from_bytes(b"A")), to_text(OsStr::new("\u{10ff41}")));
    }
}
