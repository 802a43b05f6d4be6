-- Binary trees of many depths, made and dropped: the benchmark of that name, as most languages have it.
local DEPTH = ...

local function make(depth)
  if depth == 0 then return {} end
  return { make(depth - 1), make(depth - 1) }
end

local function count(tree)
  local left = tree[1]
  return left and 1 + count(left) + count(tree[2]) or 1
end

local lasting = make(DEPTH)
for depth = 4, DEPTH, 4 do
  local trees = 1 << (DEPTH - depth + 4)
  local nodes = 0
  for _ = 1, trees do nodes = nodes + count(make(depth)) end
  print(trees, depth, nodes)
end
print(count(lasting))
