-- A store of objects with methods, closures and tables that grow: entries come, change and go, the oldest first.
local ROUNDS = ...

local Entry = {}
Entry.__index = Entry
function Entry.new(key) return setmetatable({ key = key, tags = {}, total = 0 }, Entry) end
function Entry:add(value)
  self.tags[#self.tags + 1] = function() return value end
  self.total = self.total + value
end

local entries, order, first, seed = {}, {}, 1, 1
local function random(below)
  seed = (seed * 48271) % 2147483647
  return seed % below
end

for i = 1, ROUNDS do
  local key = random(5000)
  local entry = entries[key]
  if not entry then
    entry = Entry.new(key)
    entries[key] = entry
    order[#order + 1] = key
  end
  entry:add(i % 100)
  if #order - first >= 3000 then
    entries[order[first]] = nil
    order[first] = false
    first = first + 1
  end
end

local keys, total, tagged = {}, 0, 0
for key, entry in pairs(entries) do
  keys[#keys + 1] = key
  total = total + entry.total
  for _, tag in ipairs(entry.tags) do tagged = tagged + tag() end
end
table.sort(keys, function(a, b) return a > b end)
print(#keys, keys[1], total, tagged)
