-- Coroutines that hand out permutations, and errors that are caught: stacks come and go.
local SIZE = ...

local function permute(list, size)
  if size == 0 then return coroutine.yield(list) end
  for i = 1, size do
    list[size], list[i] = list[i], list[size]
    permute(list, size - 1)
    list[size], list[i] = list[i], list[size]
  end
end

local count, fixed, caught = 0, 0, 0
for start = 1, SIZE do
  local list = {}
  for i = 1, SIZE do list[i] = (i + start) % SIZE + 1 end
  for permutation in coroutine.wrap(function() permute(list, SIZE) end) do
    count = count + 1
    if permutation[1] == 1 then fixed = fixed + 1 end
    if count % 1000 == 0 then
      local well, why = pcall(error, { at = count })
      if not well and why.at == count then caught = caught + 1 end
    end
  end
end
print(count, fixed, caught)

local threads = {}
for i = 1, 2000 do
  threads[i] = coroutine.create(function(n)
    while n > 0 do n = coroutine.yield(n * n) end
    return 'done'
  end)
end
local sum = 0
for round = 3, 1, -1 do
  for i = 1, #threads do sum = sum + select(2, coroutine.resume(threads[i], round)) end
end
print(sum, select(2, coroutine.resume(threads[1], 0)))
