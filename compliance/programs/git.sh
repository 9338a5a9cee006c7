export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org HOME=$PWD GIT_PAGER=cat
export GIT_AUTHOR_DATE=2001-02-03T04:05:06Z GIT_COMMITTER_DATE=2001-02-03T04:05:06Z
git config --global init.defaultBranch main; git config --global gc.autoDetach false; git config --global pack.threads 1; git config --global advice.detachedHead false
git init -q r; cd r || exit; for i in $(seq 60); do seq "$i" $((i * 10)) > "f$i"; done; git add .; git commit -qm one
git checkout -qb side; sed -i s/5/five/ f7; git commit -qam two; git checkout -q main; echo x >> f8; git commit -qam three; git merge -q -m merge side
git log --oneline --graph; git diff --stat HEAD~1; cd ..; git clone -q r c; git clone -q --no-local --bare r b; cd c || exit; echo y > new; git add new
git commit -qm four; git push -q origin HEAD:refs/heads/pushed; git -C ../r log --oneline pushed; git gc -q --prune=now; git fsck 2> /dev/null
git count-objects -v | grep -v size; git status -s; echo z > new; git stash -q; git stash list; git stash pop -q; git commit -qam five; git grep -c 'fiv[e]'; git tag -a v1 -m v1
git describe; git archive HEAD | md5sum; git blame f7 | head -1; git rebase -q HEAD~1; git format-patch -1 --stdout | md5sum; git worktree add -q ../w v1
git fetch -q ../b main; git rev-parse FETCH_HEAD; printf '#!/bin/sh\necho hook\n' > .git/hooks/post-commit; chmod -x .git/hooks/post-commit
git bisect start -q HEAD HEAD~3 > /dev/null; git bisect run sh -c '! test -e new' | grep 'first bad'; git bisect reset 2> /dev/null; git submodule status; git reflog | wc -l
