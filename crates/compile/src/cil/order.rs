//! The order of classes, initial SIDs, sensitivities and categories, which several statements say in pieces.

/// Merges lists into one in which each keeps its order. Lists join where they have names in common; one that joins nowhere yet waits.
/// Gives also which lists could not be merged.
pub(crate) fn merge<T: Copy + PartialEq>(lists: &[Vec<T>]) -> (Vec<T>, Vec<usize>) {
    let mut merged: Vec<T> = Vec::new();
    let mut waiting: Vec<usize> = (0..lists.len()).collect();
    loop {
        let before = waiting.len();
        waiting.retain(|&list| match merge_one(&merged, &lists[list]) {
            Some(joined) => {
                merged = joined;
                false
            }
            None => true,
        });
        if waiting.is_empty() || waiting.len() == before {
            return (merged, waiting);
        }
    }
}

fn merge_one<T: Copy + PartialEq>(old: &[T], new: &[T]) -> Option<Vec<T>> {
    if old.is_empty() {
        let unique = |it: &T| new.iter().filter(|other| *other == it).count() == 1;
        return new.iter().all(unique).then(|| new.to_vec());
    }
    let mut merged = old.to_vec();
    let (mut next, mut at) = (0, 0);
    while next < new.len() && at < merged.len() {
        let matching = (next..new.len()).find_map(|number| {
            let place = merged[at..].iter().position(|it| *it == new[number])?;
            Some((number, at + place))
        });
        let (number, place) = matching?;
        if !insert(&mut merged, place, &new[next..number]) {
            return None;
        }
        at = place + (number - next) + 1;
        next = number + 1;
    }
    let end = merged.len();
    insert(&mut merged, end, &new[next..]).then_some(merged)
}

/// Inserts what is not in the list yet.
fn insert<T: Copy + PartialEq>(list: &mut Vec<T>, at: usize, new: &[T]) -> bool {
    let fresh = |(number, it): (usize, &T)| !list.contains(it) && !new[..number].contains(it);
    if !new.iter().enumerate().all(fresh) {
        return false;
    }
    list.splice(at..at, new.iter().copied());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lists: &[&str], merged: &str, left: &[usize]) {
        let lists: Vec<Vec<char>> = lists.iter().map(|it| it.chars().collect()).collect();
        let (found, waiting) = merge(&lists);
        assert_eq!((found.iter().collect::<String>(), waiting), (merged.to_owned(), left.to_vec()));
    }

    #[test]
    fn lists_join_where_they_meet() {
        check(&["abc", "cd"], "abcd", &[]);
        check(&["bc", "ab"], "abc", &[]);
        check(&["ac", "abc"], "abc", &[]);
        check(&["ab", "cd", "bc"], "abcd", &[]);
        check(&["ab", "cd"], "ab", &[1]);
        check(&["ab", "ba"], "ab", &[1]);
        check(&["ab", "ac"], "ab", &[1]);
        check(&["", "ab"], "ab", &[]);
        check(&["aa"], "", &[0]);
    }
}
