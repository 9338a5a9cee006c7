//! The paths of least total length, where steps have lengths.

use super::{Bits, Graph};

/// All paths of the least length between two nodes, in the order of their nodes.
///
/// A graph with lengths is given as graphs without: the one at index *i* has the steps of a length of at most *i* + 1.
#[derive(Debug)]
pub struct Lightest<'g, G> {
    levels: &'g [G],
    /// At index *r* the nodes whose way to the target has the length *r*.
    layers: Vec<Bits>,
    length: Option<usize>,
    /// The nodes of the path so far: with what is left of its length, and the nodes that are still to be tried behind it.
    path: Vec<(u32, usize, Bits)>,
}

impl<'g, G: Graph> Lightest<'g, G> {
    /// From `source` to `target`.
    pub fn new(levels: &'g [G], source: u32, target: u32) -> Self {
        let layers = layers(levels, source, target);
        let last = layers.len().checked_sub(1);
        let length = last.filter(|it| layers.get(*it).is_some_and(|it| it.has(source)));
        let mut lightest = Self { levels, layers, length, path: Vec::new() };
        if let Some(length) = length {
            lightest.enter(source, length);
        }
        lightest
    }

    /// The least length, if there is any path.
    pub fn length(&self) -> Option<usize> {
        self.length
    }

    fn nodes(&self) -> usize {
        self.levels.first().map_or(0, Graph::nodes)
    }

    /// Appends a node that is `left` away from the target. What follows is nearer by just the length of the step: a shorter step
    /// would make the node itself nearer.
    fn enter(&mut self, node: u32, left: usize) {
        let (mut next, mut row) = (Bits::new(self.nodes()), Bits::new(self.nodes()));
        for (length, level) in (1..=left).zip(self.levels) {
            level.outward(node, &mut row);
            row.keep(&self.layers[left - length]);
            next.add(&row);
        }
        self.path.push((node, left, next));
    }

    /// How far a node is from the target.
    fn left(&self, node: u32) -> usize {
        self.layers.iter().position(|it| it.has(node)).unwrap_or_default()
    }
}

impl<G: Graph> Iterator for Lightest<'_, G> {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        loop {
            let (_, left, next) = self.path.last_mut()?;
            if *left == 0 {
                let found = self.path.iter().map(|it| it.0).collect();
                self.path.pop();
                return Some(found);
            }
            match next.pop() {
                Some(node) => self.enter(node, self.left(node)),
                None => drop(self.path.pop()),
            }
        }
    }
}

/// The nodes by their length from the target, up to that of the source or, without a way, of all that have one.
fn layers(levels: &[impl Graph], source: u32, target: u32) -> Vec<Bits> {
    let nodes = levels.first().map_or(0, Graph::nodes);
    let mut layers = vec![Bits::new(nodes)];
    layers[0].insert(target);
    let (mut settled, mut row) = (Bits::new(nodes), Bits::new(nodes));
    let mut at = 0;
    while at < layers.len() {
        layers[at].take_out(&settled);
        settled.add(&layers[at]);
        if layers[at].has(source) {
            layers.truncate(at + 1);
            break;
        }
        let here: Vec<u32> = layers[at].iter().collect();
        if !here.is_empty() {
            layers.resize(layers.len().max(at + levels.len() + 1), Bits::new(nodes));
        }
        for node in here {
            for (length, level) in (1..).zip(levels) {
                level.inward(node, &mut row);
                layers[at + length].add(&row);
            }
        }
        at += 1;
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of a length of at most so much: source, target and length as digits.
    struct Level(&'static str, u32);

    impl Level {
        fn steps(&self) -> impl Iterator<Item = (u32, u32)> {
            let steps = self.0.split(' ').map(|it| it.parse::<u32>().unwrap());
            steps.filter(|it| it % 10 <= self.1).map(|it| (it / 100, it / 10 % 10))
        }
    }

    impl Graph for Level {
        fn nodes(&self) -> usize {
            10
        }
        fn outward(&self, node: u32, found: &mut Bits) {
            found.clear();
            self.steps().filter(|it| it.0 == node).for_each(|it| found.insert(it.1));
        }
        fn inward(&self, node: u32, found: &mut Bits) {
            found.clear();
            self.steps().filter(|it| it.1 == node).for_each(|it| found.insert(it.0));
        }
    }

    fn check(steps: &'static str, (from, to): (u32, u32), length: Option<usize>, expected: &str) {
        let levels: Vec<_> = (1..=9).map(|it| Level(steps, it)).collect();
        let lightest = Lightest::new(&levels, from, to);
        assert_eq!(lightest.length(), length, "{steps}");
        let told: Vec<String> =
            lightest.map(|path| path.iter().map(u32::to_string).collect()).collect();
        assert_eq!(told.join(" "), expected, "{steps}");
    }

    #[test]
    fn more_steps_may_be_less_length() {
        check("145 121 231 341", (1, 4), Some(3), "1234");
        check("143 121 231 341", (1, 4), Some(3), "1234 14");
        check("142 121 231 341", (1, 4), Some(2), "14");
        check("129 239 132", (1, 3), Some(2), "13");
        check("121 341", (1, 4), None, "");
        check("121 211", (1, 1), Some(0), "1");
    }
}
