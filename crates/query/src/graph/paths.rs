//! Simple paths from one node to another, the shortest first, each found when it is asked for.
//!
//! Layer *r* holds the nodes from which a walk of exactly *r* steps leads to the target without passing it before. A search that stays
//! within the layers never takes a step from which the target cannot be reached in what is left of the length.

use super::{Bits, Graph};

/// Which paths are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The shortest ones.
    Shortest,
    /// All of at most this many steps.
    UpTo(usize),
}

/// All simple paths between two nodes, by length, those of a length in the order of their nodes.
#[derive(Debug)]
pub struct Paths<'g, G> {
    graph: &'g G,
    source: u32,
    shortest: Option<usize>,
    /// The longest that is wanted.
    longest: usize,
    /// Steps of the paths that are being found.
    length: usize,
    layers: Vec<Bits>,
    /// The nodes of the path so far, each with the ones that are still to be tried behind it.
    path: Vec<(u32, Bits)>,
    visited: Bits,
}

impl<'g, G: Graph> Paths<'g, G> {
    /// From `source` to `target`. A node has one path to itself, of no steps, which is its shortest.
    pub fn new(graph: &'g G, source: u32, target: u32, wanted: Length) -> Self {
        let shortest = distance(graph, source, target);
        let length = shortest.unwrap_or(1);
        let longest = match (wanted, shortest) {
            (_, None) => 0,
            (Length::Shortest, Some(shortest)) => shortest,
            // Without repeating a node, a path has fewer steps than there are nodes.
            (Length::UpTo(most), Some(_)) => most.min(graph.nodes().saturating_sub(1)),
        };
        let mut at_target = Bits::new(graph.nodes());
        at_target.insert(target);
        let visited = Bits::new(graph.nodes());
        let layers = vec![at_target];
        let path = Vec::new();
        let mut paths = Self { graph, source, shortest, longest, length, layers, path, visited };
        paths.begin();
        paths
    }

    /// Steps of the shortest path, wanted or not, if any leads to the target.
    pub fn shortest(&self) -> Option<usize> {
        self.shortest
    }

    /// Starts finding the paths of the present length, if they are wanted.
    fn begin(&mut self) {
        if self.length > self.longest {
            return;
        }
        while self.layers.len() < self.length {
            let layer = self.next_layer();
            self.layers.push(layer);
        }
        self.enter(self.source);
    }

    fn next_layer(&self) -> Bits {
        let (mut layer, mut row) = (Bits::new(self.graph.nodes()), Bits::new(self.graph.nodes()));
        for node in self.layers.last().into_iter().flat_map(Bits::iter) {
            self.graph.inward(node, &mut row);
            layer.add(&row);
        }
        if let Some(target) = self.layers.first() {
            layer.take_out(target);
        }
        layer
    }

    /// Appends a node to the path and gathers the nodes that may follow it.
    fn enter(&mut self, node: u32) {
        let mut next = Bits::new(self.graph.nodes());
        let left = self.length - self.path.len();
        if let Some(layer) = left.checked_sub(1).and_then(|it| self.layers.get(it)) {
            self.graph.outward(node, &mut next);
            next.keep(layer);
            next.take_out(&self.visited);
            next.remove(node);
        }
        self.visited.insert(node);
        self.path.push((node, next));
    }

    fn leave(&mut self) {
        if let Some((node, _)) = self.path.pop() {
            self.visited.remove(node);
        }
    }

    fn found(&self) -> Vec<u32> {
        self.path.iter().map(|it| it.0).collect()
    }
}

impl<G: Graph> Iterator for Paths<'_, G> {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        loop {
            if self.path.len() == self.length + 1 {
                let found = self.found();
                self.leave();
                return Some(found);
            }
            if let Some((_, next)) = self.path.last_mut() {
                match next.pop() {
                    Some(node) => self.enter(node),
                    None => self.leave(),
                }
            } else if self.length < self.longest {
                self.length += 1;
                self.begin();
            } else {
                return None;
            }
        }
    }
}

/// How many steps the target is away.
fn distance(graph: &impl Graph, source: u32, target: u32) -> Option<usize> {
    let mut seen = Bits::new(graph.nodes());
    let mut edge = Bits::new(graph.nodes());
    let mut row = edge.clone();
    edge.insert(target);
    for steps in 0.. {
        if edge.has(source) {
            return Some(steps);
        }
        if edge.is_empty() {
            break;
        }
        seen.add(&edge);
        let mut before = Bits::new(graph.nodes());
        for node in edge.iter() {
            graph.inward(node, &mut row);
            before.add(&row);
            // Often one step leads from nearly everywhere; what is left cannot make it shorter.
            if before.has(source) {
                break;
            }
        }
        before.take_out(&seen);
        edge = before;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges as pairs of digits.
    struct Small(&'static str);

    impl Small {
        fn edges(&self) -> impl Iterator<Item = (u32, u32)> {
            self.0.split(' ').map(|it| {
                let number: u32 = it.parse().unwrap();
                (number / 10, number % 10)
            })
        }
    }

    impl Graph for Small {
        fn nodes(&self) -> usize {
            10
        }
        fn outward(&self, node: u32, found: &mut Bits) {
            found.clear();
            self.edges().filter(|it| it.0 == node).for_each(|it| found.insert(it.1));
        }
        fn inward(&self, node: u32, found: &mut Bits) {
            found.clear();
            self.edges().filter(|it| it.1 == node).for_each(|it| found.insert(it.0));
        }
    }

    fn check(edges: &'static str, from_to: (u32, u32), wanted: Length, expected: &str) {
        let graph = Small(edges);
        let paths = Paths::new(&graph, from_to.0, from_to.1, wanted);
        let told: Vec<String> =
            paths.map(|path| path.iter().map(u32::to_string).collect()).collect();
        assert_eq!(told.join(" "), expected, "{edges} {from_to:?} {wanted:?}");
    }

    #[test]
    fn the_shortest_come_first_and_no_node_twice() {
        let diamond = "12 13 24 34 45 14 41 52 23";
        check(diamond, (1, 4), Length::Shortest, "14");
        check(diamond, (1, 4), Length::UpTo(2), "14 124 134");
        check(diamond, (1, 4), Length::UpTo(9), "14 124 134 1234");
        check(diamond, (1, 5), Length::Shortest, "145");
        check(diamond, (3, 2), Length::UpTo(5), "3412 3452");
        check("12 23 24 35 45", (1, 5), Length::Shortest, "1235 1245");
    }

    #[test]
    fn where_nothing_leads_nothing_is_found() {
        check("12 34", (1, 4), Length::Shortest, "");
        check("12 21 34", (1, 4), Length::UpTo(5), "");
        check("12", (1, 2), Length::UpTo(0), "");
        check("12 21", (1, 1), Length::Shortest, "1");
        check("12 21", (1, 1), Length::UpTo(3), "1");
    }
}
