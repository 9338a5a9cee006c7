//! Walks every link of finished pages, and tells those that lead nowhere.

use std::collections::BTreeMap;

/// A link that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dead {
    /// The page it stands on.
    pub page: String,
    /// What it says.
    pub link: String,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a link is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// There is no such file.
    NoFile,
    /// The page has no such place.
    NoPlace,
    /// It leads out of the folder: pages are complete in themselves.
    Outside,
    /// A place has a name that another has on the page.
    TwoPlaces,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Pages of HTML.
    pub pages: usize,
    /// Links that were followed, those of the search among them.
    pub links: usize,
    /// Those that lead nowhere.
    pub dead: Vec<Dead>,
}

/// Links and places of a page.
#[derive(Default)]
struct Found {
    links: Vec<String>,
    places: Vec<String>,
}

/// Walks all links of these files: paths below their folder, and what they hold.
pub fn walk<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Walked {
    let mut found = BTreeMap::new();
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        let it = match path.rsplit_once('.') {
            Some((_, "html")) => of_page(&text),
            _ if path.ends_with("search-data.js") => of_search(&text),
            _ => Found::default(),
        };
        found.insert(path, it);
    }
    let mut walked = Walked::default();
    for (path, it) in &found {
        walked.pages += usize::from(path.ends_with(".html"));
        walked.links += it.links.len();
        let dead = |link: &String, why| Dead { page: (*path).to_owned(), link: link.clone(), why };
        let links = it.links.iter().filter_map(|link| Some(dead(link, fault(&found, path, link)?)));
        walked.dead.extend(links);
        let mut places: Vec<&String> = it.places.iter().collect();
        places.sort_unstable();
        let twice = places.iter().zip(places.iter().skip(1)).filter(|it| it.0 == it.1);
        walked.dead.extend(twice.map(|it| dead(it.0, Why::TwoPlaces)));
    }
    walked
}

fn fault(found: &BTreeMap<&str, Found>, page: &str, link: &str) -> Option<Why> {
    let (file, place) = link.split_once('#').map_or((link, None), |it| (it.0, Some(it.1)));
    let target = if file.is_empty() { Some(page.to_owned()) } else { resolve(page, file) };
    let Some(target) = target else { return Some(Why::Outside) };
    let Some(target) = found.get(target.as_str()) else { return Some(Why::NoFile) };
    let there = place.is_none_or(|place| target.places.iter().any(|it| it == place));
    (!there).then_some(Why::NoPlace)
}

/// The path that a link of a page leads to; none if it leads out of the folder.
fn resolve(page: &str, link: &str) -> Option<String> {
    if link.contains(':') || link.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The values of `href`, `src` and `id`.
fn of_page(text: &str) -> Found {
    let mut found = Found::default();
    for tag in text.split('<').skip(1).filter_map(|it| it.split_once('>')) {
        let mut rest = tag.0;
        while let Some((name, after)) = rest.split_once("=\"") {
            let Some((value, more)) = after.split_once('"') else { break };
            let value = value.replace("&amp;", "&").replace("&quot;", "\"");
            match name.rsplit(' ').next() {
                Some("href" | "src") => found.links.push(value),
                Some("id") => found.places.push(value),
                _ => {}
            }
            rest = more;
        }
    }
    found
}

/// Where the search leads.
fn of_search(text: &str) -> Found {
    let inner = text.trim().strip_prefix("mandateSearch(").and_then(|it| it.strip_suffix(");"));
    let data: serde_json::Value =
        inner.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let entries = data["entries"].as_array().map_or(&[][..], Vec::as_slice);
    let links = entries.iter().map(|entry| {
        let page = entry[2].as_u64().and_then(|it| usize::try_from(it).ok());
        let page = page.and_then(|it| data["pages"][it].as_str()).unwrap_or("no page");
        match entry[3].as_str() {
            None | Some("") => page.to_owned(),
            Some(place) => format!("{page}#{place}"),
        }
    });
    Found { links: links.collect(), places: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|it| (it.0, it.1.as_bytes()));
        let dead = walk(files).dead;
        dead.into_iter().map(|it| format!("{}: {} {:?}", it.page, it.link, it.why)).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let index = "<a class=\"x\" href=\"a/b.html#c\">b</a> <a href=\"#d\"></a><p id=\"d\">";
        let page = "<link href=\"../style.css\"><h1 id=\"c\">";
        assert_eq!(dead(&[("index.html", index), ("a/b.html", page), ("style.css", "")]), [""; 0]);
    }

    #[test]
    fn dead_links_are_told() {
        let index = "<a href=\"b.html\"><a href=\"#none\"><a href=\"https://x/\"><a href=\"../x\"><p id=\"e\"><p id=\"e\">";
        assert_eq!(
            dead(&[("index.html", index)]),
            [
                "index.html: b.html NoFile",
                "index.html: #none NoPlace",
                "index.html: https://x/ Outside",
                "index.html: ../x Outside",
                "index.html: e TwoPlaces"
            ]
        );
    }

    #[test]
    fn the_search_is_followed() {
        let data = "mandateSearch({\"pages\":[\"a.html\"],\"entries\":[[\"n\",0,0,\"\",\"\"],[\"n\",0,0,\"p\",\"\"],[\"n\",0,1,\"\",\"\"]]});";
        assert_eq!(
            dead(&[("a.html", ""), ("search-data.js", data)]),
            ["search-data.js: a.html#p NoPlace", "search-data.js: no page NoFile"]
        );
    }
}
