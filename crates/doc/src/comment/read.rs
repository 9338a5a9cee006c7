//! From tags to what they say.

use mandate_syntax::diagnostic::Diagnostic;

use super::markup::{Tag, Token, malformed, tokens};
use super::{Block, Comment, Flow, Line, Parameter};

/// Reads a comment, and tells what is malformed in it.
pub fn read(lines: &[Line]) -> (Comment, Vec<Diagnostic>) {
    let mut told = Vec::new();
    let tokens = tokens(lines, &mut told);
    let mut builder = Builder { open: Vec::new(), done: Vec::new(), told };
    for token in tokens {
        match token {
            Token::Text(text) => builder.add(Item::Text(text)),
            Token::Open { tag, empty } => builder.open(tag, empty),
            Token::Close(tag) => builder.close(&tag),
        }
    }
    builder.close_down_to(0);
    (comment(&builder.done), builder.told)
}

enum Item {
    Text(String),
    Node(Node),
}

struct Node {
    tag: Tag,
    items: Vec<Item>,
}

struct Builder {
    open: Vec<Node>,
    done: Vec<Item>,
    told: Vec<Diagnostic>,
}

/// Tags that stand in no other.
const OUTER: &[&str] = &["param", "infoflow", "rolecap", "rolebase", "required"];

impl Builder {
    fn add(&mut self, item: Item) {
        match self.open.last_mut() {
            Some(node) => node.items.push(item),
            None => self.done.push(item),
        }
    }

    /// Closes all that are open but the `keep` outermost, which was forgotten.
    fn close_down_to(&mut self, keep: usize) {
        while self.open.len() > keep {
            let Some(node) = self.open.pop() else { return };
            let message = format!("`<{}>` is not closed", node.tag.name);
            self.told.push(malformed(node.tag.span, message));
            self.add(Item::Node(node));
        }
    }

    fn open(&mut self, tag: Tag, empty: bool) {
        if let Some(keep) = self.kept_around(tag.name) {
            self.close_down_to(keep);
        }
        if empty || matches!(tag.name, "br" | "infoflow" | "rolecap" | "rolebase") {
            self.add(Item::Node(Node { tag, items: Vec::new() }));
        } else {
            self.open.push(Node { tag, items: Vec::new() });
        }
    }

    /// How many of the open tags may stay open around a tag of this name; none if all may.
    fn kept_around(&self, name: &str) -> Option<usize> {
        let last = |wanted: &[&str]| self.open.iter().rposition(|it| wanted.contains(&it.tag.name));
        match name {
            it if OUTER.contains(&it) => Some(0),
            "desc" if last(&["param"]).is_none() => Some(0),
            "summary" => last(&["summary", "desc"]),
            "p" => last(&["p"]),
            "li" => last(&["li"]).filter(|&it| last(&["ul", "ol"]).is_none_or(|list| list < it)),
            _ => None,
        }
    }

    fn close(&mut self, tag: &Tag) {
        let Some(at) = self.open.iter().rposition(|it| it.tag.name == tag.name) else {
            if !matches!(tag.name, "infoflow" | "rolecap" | "rolebase" | "br") {
                let message = format!("`</{}>` closes nothing", tag.name);
                self.told.push(malformed(tag.span, message));
            }
            return;
        };
        self.close_down_to(at + 1);
        if let Some(node) = self.open.pop() {
            self.add(Item::Node(node));
        }
    }
}

fn comment(items: &[Item]) -> Comment {
    let mut it = Comment::default();
    let mut loose = Vec::new();
    for item in items {
        match item {
            Item::Text(text) => loose.push(Item::Text(text.clone())),
            Item::Node(node) => take(&mut it, node),
        }
    }
    // Text that stands in no tag describes all the same.
    let loose = blocks(&loose);
    if it.summary.is_empty() {
        it.summary = loose;
    } else {
        it.description.extend(loose);
    }
    it
}

fn take(it: &mut Comment, node: &Node) {
    let yes = |name| node.tag.get(name).is_some_and(|it| it == "true");
    match node.tag.name {
        "summary" => it.summary.extend(blocks(&node.items)),
        "param" => {
            let name = node.tag.get("name").unwrap_or_default().trim().to_owned();
            let (optional, unused) = (yes("optional"), yes("unused"));
            let summary = blocks(&node.items);
            it.parameters.push(Parameter { name, summary, optional, unused });
        }
        "infoflow" => {
            let value = |name| node.tag.get(name).unwrap_or_default().to_owned();
            it.flow = Some(Flow { kind: value("type"), weight: value("weight") });
        }
        "rolebase" => it.role_base = true,
        "rolecap" => it.role_capability = true,
        "required" if yes("val") => it.required = Some(blocks(&node.items)),
        "required" => {}
        _ => it.description.extend(blocks(&node.items)),
    }
}

fn blocks(items: &[Item]) -> Vec<Block> {
    let mut flow = Blocks::default();
    flow.items(items);
    flow.end();
    flow.done
}

#[derive(Default)]
struct Blocks {
    done: Vec<Block>,
    text: String,
}

impl Blocks {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Text(text) => self.text(text),
                Item::Node(node) => self.node(node),
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node.tag.name {
            "b" | "i" | "em" | "strong" | "tt" | "code" => self.items(&node.items),
            "ul" | "ol" => {
                self.end();
                let items = node.items.iter().filter_map(|it| match it {
                    Item::Node(it) => Some(blocks(&it.items)),
                    Item::Text(text) => {
                        (!text.trim().is_empty()).then(|| blocks(&[Item::Text(text.clone())]))
                    }
                });
                self.done.push(Block::List(items.collect()));
            }
            "li" => {
                self.end();
                let item = blocks(&node.items);
                match self.done.last_mut() {
                    Some(Block::List(items)) => items.push(item),
                    _ => self.done.push(Block::List(vec![item])),
                }
            }
            _ => {
                self.end();
                self.items(&node.items);
                self.end();
            }
        }
    }

    /// Empty lines end paragraphs.
    fn text(&mut self, text: &str) {
        let mut lines = text.split('\n').peekable();
        let mut first = true;
        while let Some(line) = lines.next() {
            if line.trim().is_empty() && !first && lines.peek().is_some() {
                self.end();
            }
            self.text.push_str(line);
            self.text.push(' ');
            first = false;
        }
        // A word goes on after a tag within it.
        if !text.ends_with(char::is_whitespace) {
            self.text.pop();
        }
    }

    fn end(&mut self) {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        if !words.is_empty() {
            self.done.push(Block::Paragraph(words.join(" ")));
        }
        self.text.clear();
    }
}
