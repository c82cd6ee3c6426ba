defmodule CanalLockTest do
  use ExUnit.Case

  alias CanalLock.Web

  test "boats pass in the order in which they came" do
    assert {404, _} = Web.answer("POST", "/lift", "")
    assert {201, "Åsa waits\n"} = Web.answer("POST", "/boats", "Åsa\n")
    assert {201, _} = Web.answer("POST", "/boats", "Bo")
    assert {400, _} = Web.answer("POST", "/boats", " ")
    assert {200, "Åsa\nBo\n"} = Web.answer("GET", "/boats", "")
    assert {200, "ÅSA passes\n"} = Web.answer("POST", "/lift", "")
    assert {200, "The lock is open. Boats waiting: 1\n"} = Web.answer("GET", "/", "")
  end
end
